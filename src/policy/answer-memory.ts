/**
 * What versions that are judged one after the other have in common: of a draft, nearly all questions meet the very policies
 * that they met before its last edit. What exactly these policies answered to exactly this is not asked of Cedar again.
 */
import type { PolicyDecision } from '../core/decision.js'
import type { ParsedPolicy } from './parse.js'

/** Of some versions. Nothing in force answers from it: it serves those who judge. */
export interface AnswerMemory {
  /**
   * Answers of these policies and no others, by question.
   *
   * @param form equal where a question's text says the same: what is looked at of it, and for which version's number
   */
  of(policies: readonly ParsedPolicy[], form: string): Map<string, PolicyDecision>
  /** Makes room: to be called between versions. */
  bound(): void
}

/** A version of some fifty policies is asked 10,000 different questions, at 300 bytes. */
const MOST_ANSWERS = 200_000

export function createAnswerMemory(): AnswerMemory {
  const answers = new Map<string, Map<string, PolicyDecision>>()
  const names = new Map<string, number>()
  const nameOf = ({ id, layer, text }: ParsedPolicy): number => {
    const content = `${id}\n${layer}\n${text}`
    const name = names.get(content) ?? names.size
    names.set(content, name)
    return name
  }
  return {
    of(policies, form) {
      const key = `${policies.map(nameOf).join(' ')} ${form}`
      const known = answers.get(key) ?? new Map<string, PolicyDecision>()
      answers.set(key, known)
      return known
    },
    bound() {
      const kept = [...answers.values()].reduce((sum, { size }) => sum + size, 0)
      if (kept < MOST_ANSWERS && names.size < MOST_ANSWERS) return
      answers.clear()
      names.clear()
    },
  }
}
