/**
 * What matrices have in common: a draft changes few policies, so most of its cells meet the same ones as before. A cell
 * is worked out anew only where they differ, or what is asked of them does.
 */
import { createHash } from 'node:crypto'
import type { ParsedPolicy } from './parse.js'

/** Of some versions; `Said` is what a walk says of all cells that have the same conditions. It forgets all when it is full. */
export interface MatrixMemory<Said> {
  /** Which conditions a cell has. */
  readonly groups: Map<string, string>
  /** By conditions. */
  readonly said: Map<string, Said>
  readonly nominal: Map<string, 'allow' | 'deny'>
  /** A text for policies that is equal for equal ones: by id, layer and text. */
  nameOf(policies: readonly ParsedPolicy[]): string
  /** Makes room. */
  bound(): void
}

/** A version of a thousand policies has some 20,000 cells, at 200 bytes, of 1,000 different sets of conditions. */
const MOST_CELLS = 100_000
const MOST_SAID = 20_000
const MOST_POLICIES = 20_000

export const shortly = (text: string): string =>
  createHash('sha256').update(text).digest('base64url')

export function createMemory<Said>(): MatrixMemory<Said> {
  const groups = new Map<string, string>()
  const said = new Map<string, Said>()
  const nominal = new Map<string, 'allow' | 'deny'>()
  const names = new Map<string, string>()
  const nameOf = ({ id, layer, text }: ParsedPolicy): string => {
    const content = `${id}\n${layer}\n${text}`
    const known = names.get(content) ?? String(names.size)
    names.set(content, known)
    return known
  }
  return {
    ...{ groups, said, nominal },
    nameOf: (policies) => policies.map(nameOf).join(' '),
    bound() {
      if (groups.size < MOST_CELLS && said.size < MOST_SAID && names.size < MOST_POLICIES) return
      for (const kept of [groups, said, nominal, names]) kept.clear()
    },
  }
}
