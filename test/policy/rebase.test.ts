import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { mergeFiles } from '../../src/policy/rebase.js'

const lines = (...of: readonly string[]): string => `${of.join('\n')}\n`
const BASE = lines('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j')

describe('a draft brought up to another version', () => {
  it('has both changes, where they are of different places of a file', () => {
    const mine = { x: BASE.replace('b\n', 'B\n') }
    const theirs = { x: BASE.replace('i\n', 'I\n'), y: 'new\n' }
    const { files, conflicts } = mergeFiles({ x: BASE }, mine, theirs)
    expect(files).toEqual({ x: BASE.replace('b\n', 'B\n').replace('i\n', 'I\n'), y: 'new\n' })
    expect(conflicts).toEqual([])
  })

  it('has theirs, and names the file, where both changed one place or one of them took it away', () => {
    const mine = { x: BASE.replace('b\n', 'B\n'), y: 'mine\n' }
    const theirs = { x: BASE.replace('b\n', 'beta\n') }
    expect(mergeFiles({ x: BASE, y: 'y\n' }, mine, theirs)).toEqual({
      ...{ files: theirs, conflicts: ['x', 'y'] },
    })
  })

  it('is theirs where the draft changed nothing, and the draft where they did not', () => {
    const files = fc.dictionary(fc.constantFrom('a', 'b', 'constructor'), fc.string(), {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(files, files, (base, other) => {
        expect(mergeFiles(base, base, other)).toEqual({ files: other, conflicts: [] })
        expect(mergeFiles(base, other, base)).toEqual({ files: other, conflicts: [] })
        expect(mergeFiles(base, other, other)).toEqual({ files: other, conflicts: [] })
      }),
    )
  })
})
