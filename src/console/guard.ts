/** Whether a member may see or do this: the policies' answer, on the duties that today's version gives them. */
import type { Response } from 'express'
import {
  type ConsoleAct,
  type ConsolePart,
  consoleQuestion,
  dutiesOf,
  type Layer,
  layersOf,
  type Member,
  type Post,
} from '../core/console.js'
import type { Policies, Question } from '../core/decision.js'
import { Refusal } from '../core/refusal.js'
import { DUTIES, type Duty } from '../core/roles.js'
import type { Clock } from '../core/values.js'
import { journeyOf, learn } from '../http/journey.js'

/**
 * What a page or act needs. `central`: only a duty for everybody will do. `own`: one in a single organisation's or
 * region's layer as well, for pages that show or change no more than that layer. One layer's name: a duty there.
 */
export interface Needs {
  readonly part: ConsolePart
  readonly act: ConsoleAct
  readonly layers: 'own' | Layer
}

/** By which duties, in which layer, a member was let in. */
export interface Leave {
  readonly duties: readonly Duty[]
  readonly layer: Layer
}

interface Parts {
  readonly policies: Policies & { mayRead(): boolean; posts(): readonly Post[] }
  readonly clock: Clock
}

const questionOf = (
  { clock }: Parts,
  member: Member,
  duties: readonly Duty[],
  { act, part }: Needs,
): Question => consoleQuestion(member, duties, act, part, clock())

/** Where a member may do something, the first layer of those that count; `undefined` when nowhere. */
export function leaveFor(parts: Parts, member: Member, needs: Needs): Leave | undefined {
  const posts = parts.policies.posts()
  const layers: ReadonlySet<Layer> =
    needs.layers === 'own'
      ? new Set<Layer>(['central', ...layersOf(posts, member.uid)])
      : new Set([needs.layers])
  for (const layer of layers) {
    const duties = dutiesOf(posts, member.uid, layer)
    const { effect } = parts.policies.decide(questionOf(parts, member, duties, needs))
    if (effect === 'allow') return { duties, layer }
  }
  return undefined
}

/** Whether a member may do something once they have signed in as strongly as anybody can. */
export const mayStronger = (parts: Parts, member: Member, needs: Needs): boolean =>
  leaveFor(parts, { ...member, assurance: 3 }, needs) !== undefined

/** Which duties would do, each by itself and with the strongest sign-in: asked of the policies, never listed here. */
const wouldDo = (parts: Parts, member: Member, needs: Needs): readonly Duty[] =>
  DUTIES.filter((duty) => {
    const question = questionOf(parts, { ...member, assurance: 3 }, [duty], needs)
    return parts.policies.decide(question).effect === 'allow'
  })

/** What the page of a denial says. */
function explain(parts: Parts, res: Response, member: Member, needs: Needs, path: string): void {
  const posts = parts.policies.posts()
  const own = layersOf(posts, member.uid)[0] ?? 'central'
  const layer: Layer = needs.layers === 'own' ? own : needs.layers
  const duties = dutiesOf(posts, member.uid, layer)
  const question = questionOf(parts, member, duties, needs)
  const { effect, version, policies, errors, reasons } = parts.policies.decide(question)
  const stronger = parts.policies.stepUp(question)
  const journey = journeyOf(res)
  journey.reasons = reasons
  journey.more = {
    denied: { duties, needed: wouldDo(parts, member, needs), assurance: member.assurance },
    ...(stronger === undefined ? {} : { stepUp: { assurance: stronger, to: path } }),
  }
  const errs = errors.length > 0 ? { errors } : {}
  learn(res, { policy: { version, effect, policies, ...errs } })
}

/**
 * @param path of the page, for the way back after a stronger sign-in
 * @throws Refusal console_denied, policy_stale
 */
export function requireDuty(
  parts: Parts,
  res: Response,
  member: Member,
  needs: Needs,
  path: string,
): Leave {
  const { policies } = parts
  // A view may go on for a while on what is known, as reads of the record do; an act may not.
  const fresh = needs.act === 'console-view' ? policies.mayRead() : policies.mayIssue()
  if (!fresh) throw new Refusal('policy_stale', 'the version in force is not known')
  const leave = leaveFor(parts, member, needs)
  if (leave) return leave
  explain(parts, res, member, needs, path)
  throw new Refusal('console_denied', `${needs.act} on ${needs.part}`)
}
