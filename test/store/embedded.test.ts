import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { DATABASE, openEmbedded } from '../../src/store/embedded.js'
import { openReading } from '../../src/store/embedded-reading.js'
import { StoreFailure } from '../../src/store/failure.js'
import { random, START } from '../contract/parts.js'
import { storeContract } from '../contract/store.js'

storeContract('embedded', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'embedded-'))
  return {
    open: (parts) => openEmbedded({ dir, ...parts }),
    sweeps: true,
    stop: () => rm(dir, { recursive: true }),
  }
})

describe('reading the embedded store', () => {
  const clock = () => START
  /** A hundred kilobytes. */
  const large = (number: number) => `${number}`.padEnd(100_000, 'x')

  it('ends with its close: what is read after it is refused, not looked for where nothing is', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'embedded-'))
    const store = await openEmbedded({ dir, clock, random })
    const reading = openReading(join(dir, DATABASE))
    expect(reading.values(['none'])).toEqual([undefined])
    await reading.close()
    expect(() => reading.values(['none'])).toThrow(
      new StoreFailure('closed', 'the store was closed'),
    )
    await store.close()
    await rm(dir, { recursive: true })
  })

  it('holds what it read no longer than the read: pages that are given up are written anew', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'embedded-'))
    const store = await openEmbedded({ dir, clock, random })
    const id = `lch_000000000${'0'.repeat(16)}`
    const write = (number: number) =>
      store.commit({
        puts: [{ kind: 'unsaved', id, value: { text: large(number) } as never, until: START + 1 }],
      })
    await write(0)
    for (let round = 0; round < 3; round++) {
      await store.get('grant', 'none')
      for (let number = 0; number < 50; number++) await write(number)
    }
    const { size } = await stat(join(dir, DATABASE))
    await store.close()
    await rm(dir, { recursive: true })
    expect(size).toBeLessThan(5_000_000)
  })
})
