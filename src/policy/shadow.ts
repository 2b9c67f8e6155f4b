/**
 * A draft judged beside the version in force, on some of what is really asked: what it would turn is counted, and
 * changes nothing. It runs after the answer has left, one question at a time, few in a second.
 */
import type { Policies, PolicyDecision, Question } from '../core/decision.js'
import type { Draft } from '../core/draft.js'
import type { Records } from '../core/records.js'
import { after, type Clock, type Seconds } from '../core/values.js'
import type { Store } from '../store/store.js'
import { createPolicies, type Engine } from './engine.js'
import { hashOfFiles } from './source.js'

type Kept = Records['shadow']
export type Turn = keyof Kept['counts']

export interface ShadowParts {
  readonly store: Pick<Store, 'get' | 'list' | 'commit'>
  readonly clock: Clock
  /** This node, as the fleet calls it. */
  readonly node: string
  readonly counted: (turn: Turn) => void
  /** When to judge: when nothing else is to do. */
  readonly later?: (act: () => void) => void
}

export interface Shadow {
  /** The same policies, some of whose answers are compared. */
  observing<P extends Policies>(policies: P): P
  /** Follows which draft is in shadow, and writes what was counted. To be called every five seconds. @throws Error */
  refresh(): Promise<void>
  close(): void
}

/** One in so many decisions; a prime, so that it is not the same of each launch's fifty. */
const EVERY = 17
const MOST_IN_A_SECOND = 20
const MOST_EXAMPLES = 50
/** A draft that fails so often is judged no more. */
const MOST_FAILED = 10
const KEPT_FOR: Seconds = 7 * 86_400

interface Held {
  readonly draft: Draft['id']
  readonly hash: string
  readonly engine: Engine
  readonly counts: Record<Turn, number>
  readonly examples: Map<string, Kept['examples'][number]>
  changed: boolean
}

const turnOf = (was: PolicyDecision, is: PolicyDecision): Turn => {
  if (is.errors.length > 0) return 'failed'
  if (was.effect === is.effect) return 'same'
  return is.effect === 'deny' ? 'allowToDeny' : 'denyToAllow'
}

function noteExample({ examples }: Held, turn: Turn, question: Question, is: PolicyDecision): void {
  const { action, resource, user, launch } = question
  const example = {
    ...{ turn, action, resource: `${resource.type}/${resource.id}`, roles: user.roles },
    ...{ organization: user.organization.odsCode, app: launch.app, policies: is.policies },
  }
  const key = JSON.stringify(example)
  const count = (examples.get(key)?.count ?? 0) + 1
  if (count > 1 || examples.size < MOST_EXAMPLES) examples.set(key, { ...example, count })
}

/** @throws Error where the draft's files are not whole, or cannot be read */
async function hold(store: ShadowParts['store'], { id, hash }: Draft): Promise<Held> {
  const kept = await store.get('draftFiles', `${id}/${hash}`)
  if (!kept || hashOfFiles(kept.files) !== hash) throw new Error(`draft ${id} is not whole`)
  const counts = { same: 0, allowToDeny: 0, denyToAllow: 0, failed: 0 }
  const engine = createPolicies(kept.files, { remember: 100 })
  return { draft: id, hash, engine, counts, examples: new Map(), changed: true }
}

export function createShadow(parts: ShadowParts): Shadow {
  const { store, clock, node, counted, later = setImmediate } = parts
  let held: Held | undefined
  /** What could not be held is not tried again until it is another. */
  let given = ''
  let asked = 0
  let second = { at: 0, judged: 0 }

  function judge(mine: Held, question: Question, was: PolicyDecision): void {
    if (mine !== held || mine.counts.failed >= MOST_FAILED) return
    let turn: Turn = 'failed'
    try {
      const is = mine.engine.decide(question)
      turn = turnOf(was, is)
      if (turn !== 'same') noteExample(mine, turn, question, is)
    } catch {
      // Counted as failed: it is a draft, and nobody waits for its answer.
    }
    mine.counts[turn]++
    mine.changed = true
    counted(turn)
  }

  function sample(question: Question, was: PolicyDecision): void {
    const mine = held
    if (!mine || ++asked % EVERY !== 0) return
    const at = Math.floor(clock() / 1000)
    if (second.at !== at) second = { at, judged: 0 }
    if (++second.judged > MOST_IN_A_SECOND) return
    later(() => judge(mine, question, was))
  }

  const drop = (): void => {
    held?.engine.close()
    held = undefined
  }

  async function write(mine: Held): Promise<void> {
    mine.changed = false
    const { draft, hash, counts, examples } = mine
    const at = clock()
    const value = { draft, hash, at, counts: { ...counts }, examples: [...examples.values()] }
    const id = `${draft}/${node}`
    await store.commit({ puts: [{ kind: 'shadow', id, value, until: after(at, KEPT_FOR) }] })
  }

  return {
    observing: (policies) => ({
      ...policies,
      decide(question: Question) {
        const decision = policies.decide(question)
        sample(question, decision)
        return decision
      },
    }),
    async refresh() {
      const drafts = (await store.list('draft')).map(({ value }) => value)
      const draft = drafts.find(({ shadow }) => shadow)
      const wanted = draft ? `${draft.id}/${draft.hash}` : ''
      if (wanted !== given) {
        given = wanted
        drop()
        if (draft) held = await hold(store, draft)
      }
      if (held?.changed) await write(held)
    },
    close: drop,
  }
}

/** What all nodes have counted of a draft as it stands. */
export async function shadowOf(
  store: Pick<Store, 'list'>,
  draft: Pick<Draft, 'id' | 'hash'>,
): Promise<Pick<Kept, 'counts' | 'examples'>> {
  const counts = { same: 0, allowToDeny: 0, denyToAllow: 0, failed: 0 }
  const examples: Kept['examples'][number][] = []
  for (const { value } of await store.list('shadow')) {
    if (value.draft !== draft.id || value.hash !== draft.hash) continue
    for (const turn of Object.keys(counts) as Turn[]) counts[turn] += value.counts[turn]
    examples.push(...value.examples)
  }
  return { counts, examples: examples.sort((a, b) => b.count - a.count).slice(0, MOST_EXAMPLES) }
}
