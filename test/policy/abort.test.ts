import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { programs } from './child.js'

const PATIENCE = 180_000

describe('a process that decides', () => {
  let built: Awaited<ReturnType<typeof programs>>
  beforeAll(async () => {
    built = await programs('cedar-under-deopt', 'decisions-under-load')
  })
  afterAll(() => built.remove())

  const well = (out: string) => ({ out, err: '', code: 0, signal: null })

  it(
    'is not aborted by V8 when an optimised function is given up in the middle of a decision',
    async () => {
      expect(await built.run('cedar-under-deopt')).toEqual(well('survived'))
    },
    PATIENCE,
  )

  it(
    'answers more than 20,000 mixed decisions behind HTTP',
    async () => {
      const config = join(process.cwd(), 'config')
      const { out, ...rest } = await built.run('decisions-under-load', config, '20500')
      expect(rest).toEqual({ err: '', code: 0, signal: null })
      expect(Number(/^answered (\d+)$/.exec(out)?.[1])).toBeGreaterThan(20_000)
    },
    PATIENCE,
  )
})
