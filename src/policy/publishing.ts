/**
 * How a policy version comes into force, whoever brings it: one commit, in which `current` is the last of the version's
 * records. Cut off before it, nothing has changed; after it, everything has.
 */
import type { Happening } from '../core/audit.js'
import type { Person, VersionOrigin } from '../core/draft.js'
import type { Records } from '../core/records.js'
import { after, type EpochMs, type Seconds } from '../core/values.js'
import type { Claim, Put } from '../store/store.js'
import type { PolicyFiles } from './source.js'

/**
 * A publisher that dies in the act blocks its version's number for so long. One that stood still for longer since it looked
 * gets no number: it would take that of a version that others have published meanwhile.
 */
const CLAIM_FOR: Seconds = 60
/** Policies are kept for good: what decided must stay readable. */
const FOR_GOOD: EpochMs = Date.UTC(9999, 0)

export interface Version {
  readonly files: PolicyFiles
  readonly hash: string
  /** In force until now. */
  readonly previous: Records['policy'] | undefined
  readonly origin: VersionOrigin
  /** From before it was looked which version is in force: see {@link CLAIM_FOR}. */
  readonly now: EpochMs
  /** What belongs to the same act, written after the version: nothing of it takes effect without it. */
  readonly beside?: {
    readonly claims?: readonly Claim[]
    readonly puts?: readonly Put[]
    readonly detail?: Happening['detail']
  }
}

/** The person as entries name them. */
export const actor = ({ uid, name }: Person): NonNullable<Happening['user']> => ({ id: uid, name })

function entryOf({ files, hash, previous, origin, beside }: Version, version: number): Happening {
  const { by, approver, reason, ticket, draft, layer, of } = origin
  const facts = { origin: origin.origin, reason, ticket, draft, layer, approver: approver?.uid, of }
  const known = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return {
    what: 'policy_published',
    outcome: 'success',
    ...(by ? { user: actor(by) } : {}),
    policy: { version },
    detail: {
      ...{ hash, previous: previous?.version ?? 0 },
      files: Object.keys(files),
      ...Object.fromEntries(known),
      ...beside?.detail,
    },
  }
}

/** Everything that one publication writes. Of two that follow the same version, one gets its number. */
export function publication(given: Version) {
  const { files, hash, previous, origin, now, beside = {} } = given
  const version = (previous?.version ?? 0) + 1
  const about = { version, hash, at: now, previous: previous?.version ?? 0, ...origin }
  const put = (id: string, value: Records['policy'] = about): Put => ({
    ...{ kind: 'policy', id, value, until: FOR_GOOD },
  })
  return {
    claims: [...(beside.claims ?? []), { what: `policy/${version}`, until: after(now, CLAIM_FOR) }],
    record: [entryOf(given, version)],
    puts: [
      put(String(version), { ...about, files }),
      put(aboutVersion(version)),
      put(seedOf(hash)),
      put('current'),
      ...(beside.puts ?? []),
    ],
  }
}

/** The id under which a version stands without its files. */
export const aboutVersion = (version: number): string => `about/${version}`
/** The id that says which version a hash of files was last published as. */
export const seedOf = (hash: string): string => `seed/${hash}`
