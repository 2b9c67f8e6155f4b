import { describe, expect, it } from '@jest/globals'
import { dutiesOf, layersOf } from '../../src/core/console.js'
import { lockedOut } from '../../src/policy/lockout.js'
import { readPosts } from '../../src/policy/posts.js'
import { CONSOLE_FILE, type PolicyFiles } from '../../src/policy/source.js'
import { FILES } from './asking.js'

const NOON = Date.UTC(2026, 10, 26, 12)

const withPeople = (...rows: readonly string[]): PolicyFiles => ({
  ...FILES,
  [CONSOLE_FILE]: `people:${rows.length === 0 ? ' []' : rows.map((row) => `\n  - ${row}`).join('')}\n`,
})
const person = (n: number, duties: string, more = ''): string =>
  `{ uid: "55500000000${n}", name: Somebody, duties: [${duties}]${more} }`

describe('a version that locks everybody out', () => {
  it('is none where an author, another approver and a guardian are left', () => {
    const files = withPeople(person(1, 'author'), person(2, 'guardian'))
    expect(lockedOut(files, NOON)).toBeUndefined()
  })

  it.each([
    ['nobody', []],
    ['one person with every duty', [person(1, 'author, approver, guardian')]],
    ['authors alone', [person(1, 'author'), person(2, 'author')]],
    ['approvers alone', [person(1, 'approver'), person(2, 'approver')]],
    [
      'people of a local layer',
      [person(1, 'author', ', layer: local/A83001'), person(2, 'guardian')],
    ],
  ])('is one that leaves %s', (_, rows) => {
    expect(lockedOut(withPeople(...rows), NOON)).toMatch(/author and another person/)
  })

  it('is one without a guardian', () => {
    const files = withPeople(person(1, 'author'), person(2, 'approver'))
    expect(lockedOut(files, NOON)).toMatch(/change duties/)
  })

  it('is one whose policies forbid the console', () => {
    const shut =
      '@id("shut")\n@layer("central")\n@reason("No.")\nforbid (principal, action == Action::"console-approve", resource is Console);'
    const files = {
      ...withPeople(person(1, 'author'), person(2, 'guardian')),
      'policies/shut.cedar': shut,
    }
    expect(lockedOut(files, NOON)).toMatch(/another person who may approve/)
  })
})

describe('a version that locks everybody out later', () => {
  const files = (condition: string) => ({
    ...withPeople(person(1, 'author'), person(2, 'guardian')),
    'policies/console.cedar': `${FILES['policies/console.cedar']}
@id("shut")
@layer("central")
@reason("No.")
forbid (principal, action, resource is Console) when { ${condition} };`,
  })

  it.each([
    ['this evening', 'context.hour >= 18'],
    ['but in the hour in which it is published', 'context.hour != 12 || context.weekday != 4'],
    ['on Sundays', 'context.weekday == 7'],
  ])('%s', (_, condition) => {
    expect(lockedOut(files(condition), NOON)).toMatch(/author and another person/)
  })

  it('is told from one that shuts nobody out at any hour', () => {
    expect(lockedOut(files('context.hour >= 18 && context.rung == "sealed"'), NOON)).toBeUndefined()
  })
})

describe('posts', () => {
  it('are read from console.yaml, central by default', () => {
    const posts = readPosts(
      withPeople(person(1, 'author'), person(1, 'approver', ', layer: local/A83001')),
    )
    expect(dutiesOf(posts, '555000000001', 'central')).toEqual(['author'])
    expect(dutiesOf(posts, '555000000001', 'local/A83001')).toEqual(['author', 'approver'])
    expect(layersOf(posts, '555000000001')).toEqual(['central', 'local/A83001'])
    expect(dutiesOf(posts, '555000000009', 'central')).toEqual([])
  })

  it('are none in a version without the file', () => {
    const { [CONSOLE_FILE]: _, ...files } = FILES
    expect(readPosts(files)).toEqual([])
  })

  it.each([
    ['a uid that is a number', '{ uid: 555000000001, name: A, duties: [author] }', /quotes/],
    ['an unknown duty', '{ uid: "555000000001", name: A, duties: [king] }', /duties/],
    ['no duty', '{ uid: "555000000001", name: A, duties: [] }', /duties/],
    [
      'a layer that is a path',
      '{ uid: "555000000001", name: A, duties: [author], layer: local/../x }',
      /local/,
    ],
    [
      'a member nobody reads',
      '{ uid: "555000000001", name: A, duties: [author], role: gp }',
      /role/,
    ],
  ])('refuse %s', (_, row, words) => {
    expect(() => readPosts(withPeople(row))).toThrow(words)
  })

  it('refuse a person who stands twice in one layer', () => {
    expect(() => readPosts(withPeople(person(1, 'author'), person(1, 'viewer')))).toThrow(/twice/)
  })
})
