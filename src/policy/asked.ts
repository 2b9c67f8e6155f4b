/** Listens to what is asked of the policies, at next to no cost, and keeps a sample of it (asked-pages.ts). */
import type { Policies, Question } from '../core/decision.js'
import { sha256 } from '../core/ids.js'
import { after, type Seconds } from '../core/values.js'
import { type SecretParts, storedSecret } from '../store/secrets.js'
import type { Store } from '../store/store.js'
import { type AskedQuestion, ceilingOf, MOST_QUESTIONS, mergePage, PAGES } from './asked-pages.js'
import { createCache } from './cache.js'
import { lengthed, sameCircumstances } from './entities.js'

export interface AskedParts extends SecretParts {
  readonly store: Pick<Store, 'get' | 'commit'>
  /** How long a question is kept after it was last asked; 0 keeps none. */
  readonly keep: Seconds
}

export interface Asked {
  /** The same policies, listened to. */
  observing<P extends Policies>(policies: P): P
  /** Writes what was asked. To be called every ten seconds. @throws StoreFailure: it is written next time */
  flush(): Promise<void>
}

/** For how many different circumstances it is remembered what was asked before. */
const MOST_CIRCUMSTANCES = 1_000
const MOST_ASKED = 200
/** So that a busy region writes half a megabyte in ten seconds, not five: the rest waits for its turn. */
const PAGES_IN_ONE_FLUSH = 8
const CLAIM_FOR: Seconds = 60
const MOST_CODES = 100
const LONGEST_WORD = 200

/** A question of the sample, and how often it was asked since it was last written. */
interface Heard {
  readonly page: number
  readonly rank: number
  readonly question: Question
  count: number
}
/** What was asked from one position, by what it was; `undefined`: heard, and not of the sample. */
interface Under {
  readonly position: string
  readonly asked: Map<string, Heard | undefined>
}

/** A reason that is a code stays; a sentence may hold anything. */
const reasonOf = (text: string): string => (/^[a-z0-9-]{0,40}$/.test(text) ? text : 'a-sentence')

/** All but who asks and what: whoever is in the same position asks the same question. */
function positionOf({ user, patient, launch, ...rest }: Question): string {
  const { odsCode, type, region } = user.organization
  return [
    ...[user.roles.join(), user.activities.join(), user.activitySource, user.assurance],
    ...[odsCode, type, region, patient.sensitive, patient.deceased],
    ...[launch.rung, launch.system, launch.app, rest.purpose, reasonOf(rest.emergencyReason)],
    ...[rest.hour, rest.weekday],
  ]
    .map(lengthed)
    .join('')
}

const isBounded = ({ user, launch, resource }: Question): boolean =>
  user.activities.length <= MOST_CODES &&
  [...Object.values(user.organization), launch.system, launch.app, resource.id].every(
    (text) => text.length <= LONGEST_WORD,
  )

export function createAsked(parts: AskedParts): Asked {
  if (parts.keep === 0) return { observing: (policies) => policies, flush: async () => undefined }
  /** Learned with the first flush: until then nothing is heard. */
  let secret: string | undefined
  const positions = createCache<Under>(MOST_CIRCUMSTANCES * 2)
  const ceilings = Array.from({ length: PAGES }, () => Number.POSITIVE_INFINITY)
  /** What is to be written, by page. */
  const heard = new Set<Heard>()
  let underWay = false
  /** By a member that each launch has as its own, as in entities.ts. */
  const lately = new WeakMap<Question['patient'], { question: Question; under: Under }>()

  function under(question: Question): Under {
    const last = lately.get(question.patient)
    const isSame = last && last.under.asked.size < MOST_ASKED
    if (isSame && sameCircumstances(last.question, question)) return last.under
    const position = positionOf(question)
    let known = positions.get(position)
    if (!known || known.asked.size >= MOST_ASKED) {
      known = { position, asked: new Map() }
      positions.set(position, known)
    }
    lately.set(question.patient, { question, under: known })
    return known
  }

  /** The question as one of the sample, if it is. */
  function admit(question: Question, position: string, asked: string): Heard | undefined {
    if (heard.size >= MOST_QUESTIONS || !isBounded(question)) return undefined
    const digest = Buffer.from(sha256(`${secret}/${position}/${asked}`), 'base64url')
    const [rank, page] = [digest.readUIntBE(0, 6), digest.readUInt8(6) % PAGES]
    if (rank >= (ceilings[page] ?? 0)) return undefined
    const id = `usr_${sha256(`${secret}/user/${question.user.id}`).slice(0, 16)}`
    const kept = {
      ...question,
      user: { ...question.user, id },
      emergencyReason: reasonOf(question.emergencyReason),
    }
    return { page, rank, question: kept, count: 0 }
  }

  function note(question: Question): void {
    // What the console asks for itself is not what clinicians and services ask.
    if (secret === undefined || question.resource.type === 'console') return
    const { position, asked } = under(question)
    const { action, resource } = question
    const what = `${action} ${resource.type} ${resource.id}`
    let one = asked.get(what)
    if (one === undefined) {
      if (asked.has(what)) return
      one = admit(question, position, what)
      asked.set(what, one)
      if (one === undefined) return
    }
    if (one.count === 0) {
      const full = heard.size >= MOST_QUESTIONS || one.rank >= (ceilings[one.page] ?? 0)
      if (full) return
      heard.add(one)
    }
    one.count++
  }

  return {
    observing: (policies) => ({
      ...policies,
      decide(question: Question) {
        const decision = policies.decide(question)
        try {
          note(question)
        } catch {
          // Whatever is wrong with listening, the answer stands.
        }
        return decision
      },
    }),
    async flush() {
      secret ??= await storedSecret(parts, 'asked')
      if (underWay) return
      underWay = true
      try {
        await flushing(parts, heard, ceilings)
      } finally {
        underWay = false
      }
    },
  }
}

/** Writes the pages that waited longest, each in a turn of its own: of two nodes at one page, one waits. */
async function flushing(
  { store, clock, keep }: AskedParts,
  heard: Set<Heard>,
  ceilings: number[],
): Promise<void> {
  const pages = [...new Set([...heard].map(({ page }) => page))].slice(0, PAGES_IN_ONE_FLUSH)
  for (const page of pages) {
    const now = clock()
    const mine = [...heard].filter((one) => one.page === page)
    const asked = mine.map(
      ({ question, count, rank }): AskedQuestion => ({ question, count, rank, at: now }),
    )
    const before = await store.get('asked', String(page))
    const value = mergePage(before, asked, now - keep * 1000)
    const done = await store.commit({
      claims: [{ what: `asked/${page}/${value.generation}`, until: after(now, CLAIM_FOR) }],
      puts: [{ kind: 'asked', id: String(page), value, until: after(now, keep) }],
    })
    if (!done) continue
    ceilings[page] = ceilingOf(value)
    mine.forEach((one, i) => {
      // What was asked while it was written waits for the next time.
      one.count -= asked[i]?.count ?? 0
      heard.delete(one)
      if (one.count > 0) heard.add(one)
    })
  }
}
