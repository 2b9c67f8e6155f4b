/** The outcomes of launches: who may fetch one, when, and that it leaves once. */
import type { Trail } from '../audit/trail.js'
import { type Happening, patientNamed } from '../core/audit.js'
import { isSuperseded } from '../core/context-id.js'
import { hashOf, isSecret, type LaunchId, launchTime } from '../core/ids.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { type Change, type Outcome, RELEASED_WITHIN, RETRY } from '../core/outcome.js'
import { thingsOf, toldBy } from '../core/outcome-told.js'
import { chartOf, launchedBy, type Records } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { after, type EpochMs, type Seconds } from '../core/values.js'
import { type Changes, type ChangesParts, closing, createChanges, type Kept } from './changes.js'
import type { Sessions } from './sessions.js'

/** A launch of which a system may know. */
export interface Launched {
  readonly launch: LaunchId
  readonly outcome: Outcome
}

/** What leaves, and since when it has been leaving. */
export interface Released {
  readonly changes: readonly Change[]
  readonly more: boolean
  readonly at: EpochMs
}

export interface Outcomes extends Pick<Changes, 'begin'> {
  /**
   * A system's own launch, by its id or by the number of the launch token that it came with; that of another system is
   * as if it had never been.
   *
   * @throws Refusal outcome_absent; outcome_open while nobody has opened it
   */
  find(system: LaunchSystem, name: string): Promise<Launched>
  /**
   * Gives an outcome away, on record before it leaves: once, and again only to the same request within {@link RETRY}.
   *
   * @param key what tells that request from any other; without one it is given once and then gone
   * @throws Refusal outcome_open, outcome_released; StoreFailure
   */
  release(system: LaunchSystem, launched: Launched, key: string | undefined): Promise<Released>
}

interface Parts extends ChangesParts {
  /** How long an app may act for a user who is away. */
  readonly offline: Seconds
  readonly trail: Pick<Trail, 'commit'>
  readonly sessions: Pick<Sessions, 'under'>
}

/** The launch that a system's own name for it stands for: our id, or its token's number. */
export async function launchNamed(
  { store }: Pick<ChangesParts, 'store'>,
  system: string,
  name: string,
): Promise<LaunchId | undefined> {
  if (launchTime(name) !== undefined) return name as LaunchId
  return (await store.get('launched', launchedBy(system, name)))?.launch
}

const absent = (why: string) => new Refusal('outcome_absent', why)

function releasedEntry(
  { launch, outcome }: Launched,
  { changes, more }: Pick<Released, 'changes' | 'more'>,
  again: boolean,
): Happening {
  const { system, app, purpose, signOn, patient, organization } = outcome
  const things = thingsOf(changes)
  const told = things.filter(({ last }) => {
    const held = last?.done?.held
    return held !== undefined && !('withheld' in held)
  })
  return {
    ...{ what: 'outcome_released', outcome: 'success', launch, system, app, purpose, signOn },
    // Nobody looks but the system itself, for whom it launched.
    user: { id: system, organization },
    patient: patientNamed(patient),
    detail: {
      ...{ changes: changes.length, told: told.length },
      uncertain: changes.filter(({ done }) => !done).length,
      changed: things.map(({ changed }) =>
        changed.kind === 'section' ? changed.template : `${changed.type}/${changed.id ?? ''}`,
      ),
      ...(more ? { more } : {}),
      ...(again ? { again } : {}),
    },
  }
}

/** What lets an outcome leave for the first time. */
function leaving({ launch, outcome }: Launched, at: EpochMs, key: string | undefined) {
  const value = { at, ...(key === undefined ? {} : { key: hashOf(key) }) }
  return {
    // Held for longer than it may take to leave: see the end of `release`.
    claims: [{ what: `outcome/${launch}`, until: after(at, 2 * RELEASED_WITHIN) }],
    puts: [{ kind: 'released', id: launch, value, until: outcome.until } as const],
  }
}

/** What is kept of it from then on: nothing for a request that could not be told from others. */
const remaining = (kept: Kept, at: EpochMs, key: string | undefined) =>
  key === undefined ? { drops: kept.drops } : { puts: kept.puts(after(at, RETRY)) }

/** Whether a system may know of a launch: its own, of an organisation for which it still speaks. */
const isOf = ({ id, organizations }: LaunchSystem, outcome: Outcome): boolean =>
  outcome.system === id &&
  (organizations.includes('*') || organizations.includes(outcome.organization))

export function createOutcomes(parts: Parts): Outcomes {
  const { store, trail, clock, sessions } = parts
  const changes = createChanges(parts)

  /** Its user can still be at it: signed on, and in the chart that it was opened from. */
  async function isOpen({ supersede }: LaunchSystem, { launch, outcome }: Launched) {
    const { signOn, app, system, patient } = outcome
    if (!(await sessions.under({ signOn, launch: { id: launch, app, system } }))) return false
    if (supersede === 'never') return true
    const chart = await store.get('chart', chartOf(signOn, system))
    return !isSuperseded(supersede, chart, { launch, patient: patient.nhsNumber })
  }

  /** Whether a request is the one that has had it, within its time. @throws Refusal outcome_released */
  function requireSame(released: Records['released'], key: string | undefined, now: EpochMs): void {
    const same = key !== undefined && released.key !== undefined && isSecret(key, released.key)
    if (!same || now >= after(released.at, RETRY))
      throw new Refusal('outcome_released', same ? 'too late to repeat' : 'another request')
  }

  return {
    begin: changes.begin,
    async find(system, name) {
      const launch = await launchNamed(parts, system.id, name)
      if (launch === undefined || system.outcome === 'never') throw absent('no such launch')
      const [outcome, pending, link] = await store.getAll([
        { kind: 'outcome', id: launch },
        { kind: 'pending', id: launch },
        { kind: 'link', id: launch },
      ])
      if (outcome && isOf(system, outcome)) return { launch, outcome }
      if (!outcome && (pending ?? link)?.launch.system === system.id)
        throw new Refusal('outcome_open', 'not opened yet')
      throw absent('of another system, or never opened, or no longer kept')
    },
    async release(system, launched, key) {
      const { launch, outcome } = launched
      const now = clock()
      const before = await store.get('released', launch)
      if (before) requireSame(before, key, now)
      else if (await isOpen(system, launched)) throw new Refusal('outcome_open', 'it still lives')
      const at = before?.at ?? now
      // First, and by itself: a write that is under way now is kept already, or sees this and is refused.
      const until = Math.max(outcome.until, after(now, parts.offline))
      const closed = { ...closing(launch), value: { at }, until }
      if (!before) await store.commit({ puts: [closed] })
      const kept = await changes.read(launch, outcome)
      // What was over when it was read is read as if it had never been written.
      if (clock() >= outcome.until) throw absent('no longer kept')
      if (before) requireSame(before, key, clock())
      const told = { changes: toldBy(system.outcome, kept.changes), more: kept.more }
      const record = [releasedEntry(launched, told, before !== undefined)]
      const won = await trail.commit(
        before ? { record } : { record, ...leaving(launched, at, key) },
      )
      // Whoever comes after a claim that ran out looks again first, and finds that it has left, or that it has not.
      if (!won || clock() >= after(now, RELEASED_WITHIN))
        throw new Refusal('outcome_released', 'another request has it')
      // Not before it is durable that it has left: a store that is cut between the two would tell the next that nothing
      // was written. What is then kept for too long leaves no more.
      if (!before) await store.commit(remaining(kept, at, key)).catch(() => undefined)
      return { ...told, at }
    },
  }
}
