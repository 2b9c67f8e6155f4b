import { afterAll, describe, expect, it, jest } from '@jest/globals'
import { finished, matrixOf, type Progress } from '../../src/policy/matrix.js'
import { surveyOf } from '../../src/policy/survey.js'
import { createWalks } from '../../src/policy/walks.js'
import { FILES } from './asking.js'

jest.setTimeout(60_000)

const APPS = ['care-plan']
const broken = { ...FILES, 'policies/own.cedar': 'permit (principal' }

describe('walks in a thread of their own', () => {
  const walks = createWalks()
  afterAll(() => walks.close())

  it('find what a walk here finds, and say how far they are', async () => {
    const heard: Progress[] = []
    const matrix = await walks.matrix(FILES, APPS, { progress: (one) => heard.push(one) })
    const survey = surveyOf(FILES, { apps: APPS })
    expect(matrix).toEqual(finished(matrixOf(survey)))
    survey.close()
    expect(heard).toHaveLength(matrix.groups)
    expect(heard.at(-1)?.total).toBe(matrix.cells.length)
  })

  it('compare two versions, their role maps as well', async () => {
    const roles = (FILES['roles.yaml'] ?? '').replace(
      'includes: {}',
      'includes: { B8029: [B8028] }',
    )
    const compared = await walks.compare(FILES, { ...FILES, 'roles.yaml': roles }, APPS)
    expect(compared).toMatchObject({ changes: [], exhaustive: true })
    expect(compared.roles.map(({ about }) => about)).toEqual(['includes'])
  })

  it('say what is wrong with a version that cannot be read', async () => {
    await expect(walks.matrix(broken, APPS)).rejects.toMatchObject({
      name: 'Problems',
      problems: [{ file: 'policies/own.cedar' }],
    })
  })

  it('end when they take too long', async () => {
    const hurried = createWalks({ longest: 1 })
    await expect(hurried.matrix(FILES, APPS)).rejects.toMatchObject({ why: 'time' })
    hurried.close()
  })

  it('end when nobody wants them any more, and let the next have its turn', async () => {
    const control = new AbortController()
    const first = walks.matrix(FILES, APPS, {
      signal: control.signal,
      progress: () => control.abort(),
    })
    const early = new AbortController()
    const second = walks.matrix(FILES, APPS, { signal: early.signal })
    const third = walks.matrix(broken, APPS)
    early.abort()
    await expect(first).rejects.toMatchObject({ why: 'cancelled' })
    await expect(second).rejects.toMatchObject({ why: 'cancelled' })
    await expect(third).rejects.toMatchObject({ name: 'Problems' })
  })

  it('end with their owner', async () => {
    const own = createWalks()
    const walk = own.matrix(FILES, APPS)
    own.close()
    await expect(walk).rejects.toMatchObject({ why: 'cancelled' })
  })
})
