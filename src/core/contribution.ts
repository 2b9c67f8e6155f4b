/**
 * Contributions: several changes that the record makes together or not at all. Each version is judged as if it were
 * written alone, and the whole is built anew from what was judged, with us as the only word on who commits.
 *
 * @see openEHR RM, "Common", CONTRIBUTION; openEHR REST API, "CONTRIBUTION"
 */
import { z } from 'zod'
import type { Access } from './access.js'
import { authored, committerOf } from './authorship.js'
import { readComposition } from './composition.js'
import { isObject, type Json } from './json.js'
import { isObjectId, isVersionOf } from './openehr.js'
import { Refusal } from './refusal.js'
import type { Letter } from './scope.js'
import { plainText } from './text.js'
import type { EpochMs, Seconds } from './values.js'

const MOST_VERSIONS = 20

/** What a version may do, by its audit's change type. What is no row here is refused. @see openEHR terminology, "audit change type" */
// biome-ignore format: a table
export const CHANGE_TYPES = {
  '249': { letter: 'c', word: 'creation',     preceded: false, holds: true },
  '250': { letter: 'u', word: 'amendment',    preceded: true,  holds: true },
  '251': { letter: 'u', word: 'modification', preceded: true,  holds: true },
  '523': { letter: 'd', word: 'deleted',      preceded: true,  holds: false },
} as const satisfies Readonly<Record<string, { letter: Letter; word: string; preceded: boolean; holds: boolean }>>
type ChangeCode = keyof typeof CHANGE_TYPES

/** A version's life. @see openEHR terminology, "version lifecycle state" */
const STATES: Readonly<Record<string, string>> = { '532': 'complete', '553': 'incomplete' }
const DELETED = '523'

const code = z.looseObject({
  defining_code: z.looseObject({ code_string: z.string().max(20) }),
})
const version = z.looseObject({
  _type: z.literal('ORIGINAL_VERSION').optional(),
  preceding_version_uid: z.looseObject({ value: z.string().max(250) }).nullish(),
  lifecycle_state: code.nullish(),
  commit_audit: z.looseObject({
    change_type: code,
    description: z.looseObject({ value: z.string().max(1000) }).nullish(),
  }),
  data: z.unknown().optional(),
})
const sent = z.looseObject({
  _type: z.literal('CONTRIBUTION').optional(),
  uid: z.undefined().optional(),
  versions: z.array(version).min(1).max(MOST_VERSIONS),
  audit: z.looseObject({ description: z.looseObject({ value: z.string().max(1000) }).nullish() }),
})

/** One change of a contribution, read but not judged. */
export interface Change {
  readonly code: ChangeCode
  readonly letter: Letter
  /** Of what is written; a deletion's is that of the version that it follows. */
  readonly template: string | undefined
  /** The version that it follows; absent for a creation. */
  readonly previous?: string
  readonly data?: Json
  readonly state: string
  readonly description?: string
}

export interface SentContribution {
  readonly changes: readonly Change[]
  readonly description?: string
}

const unreadable = (detail: string) => new Refusal('body_unreadable', `contribution: ${detail}`)
const said = (text: { readonly value: string } | null | undefined) =>
  text?.value ? { description: plainText(text.value, 1000) } : {}

/** The composition of a change, which names no other object than the one that it follows. */
function dataOf(data: unknown, previous: string | undefined): { data: Json; template: string } {
  const read = readComposition(data)
  if (read === undefined) throw unreadable('a version that holds no COMPOSITION')
  // The record gives ids: one that a client chose could be that of another patient's composition.
  if (read.uid !== undefined && !(previous !== undefined && isSameObject(read.uid, previous)))
    throw new Refusal('parameter_invalid', 'uid in a contribution’s version')
  return { data: data as Json, template: read.template }
}

const isSameObject = (uid: string, version: string): boolean =>
  uid === version || isVersionOf(version, uid.split('::')[0] ?? '')

function readChange(read: z.infer<typeof version>): Change {
  const named = read.commit_audit.change_type.defining_code.code_string
  if (!Object.hasOwn(CHANGE_TYPES, named))
    throw new Refusal('parameter_invalid', 'change_type of a contribution’s version')
  const type = named as ChangeCode
  const { letter, preceded, holds } = CHANGE_TYPES[type]
  const previous = read.preceding_version_uid?.value
  if (preceded ? previous === undefined || !isVersionOf(previous, '') : previous !== undefined)
    throw new Refusal('parameter_invalid', 'preceding_version_uid in a contribution')
  if (!holds && read.data !== undefined && read.data !== null)
    throw unreadable('a deletion that holds data')
  const state = read.lifecycle_state?.defining_code.code_string ?? (holds ? '532' : DELETED)
  if (holds ? !Object.hasOwn(STATES, state) : state !== DELETED)
    throw new Refusal('parameter_invalid', 'lifecycle_state in a contribution')
  const content = holds ? dataOf(read.data, previous) : { template: undefined }
  return {
    ...{ code: type, letter, state },
    ...(previous === undefined ? {} : { previous }),
    ...said(read.commit_audit.description),
    ...content,
  }
}

/**
 * A contribution as a client sent it: compositions only, each object once, each new template once.
 * @throws Refusal body_unreadable, parameter_invalid
 */
export function readContribution(body: unknown): SentContribution {
  const read = sent.safeParse(body)
  if (!read.success) throw unreadable(read.error.issues[0]?.path.join('.') ?? '')
  const changes = read.data.versions.map(readChange)
  const names = changes.map(({ previous, template }) =>
    previous === undefined ? `new ${template}` : (previous.split('::')[0] ?? '').toLowerCase(),
  )
  if (new Set(names).size < names.length)
    throw new Refusal('parameter_invalid', 'a contribution that changes something twice')
  return { changes, ...said(read.data.audit.description) }
}

const coded = (value: string, code_string: string) => ({
  _type: 'DV_CODED_TEXT',
  value,
  defining_code: {
    _type: 'CODE_PHRASE',
    terminology_id: { _type: 'TERMINOLOGY_ID', value: 'openehr' },
    code_string,
  },
})

const auditOf = (access: Access, system: string, type: ChangeCode, description?: string) => ({
  _type: 'AUDIT_DETAILS',
  system_id: system,
  committer: committerOf(access),
  change_type: coded(CHANGE_TYPES[type].word, type),
  ...(description === undefined ? {} : { description: { _type: 'DV_TEXT', value: description } }),
})

interface Signing {
  readonly access: Access
  /** Where it is committed, for `AUDIT_DETAILS.system_id`. */
  readonly system: string
  readonly now: EpochMs
  readonly skew: Seconds
}

/** The contribution as it goes on: signed with the token's person throughout. @throws Refusal body_unreadable */
export function authoredContribution(
  { changes, description }: SentContribution,
  { access, system, now, skew }: Signing,
): Json {
  const versions = changes.map((change) => ({
    _type: 'ORIGINAL_VERSION',
    ...(change.previous === undefined
      ? {}
      : { preceding_version_uid: { _type: 'OBJECT_VERSION_ID', value: change.previous } }),
    lifecycle_state: coded(STATES[change.state] ?? 'deleted', change.state),
    commit_audit: auditOf(access, system, change.code, change.description),
    ...(change.data === undefined ? {} : { data: authored(change.data, access, now, skew) }),
  }))
  const [only] = changes
  // A set of several changes is none of them alone: "modification" is what it does to the EHR.
  const type = changes.length === 1 && only !== undefined ? only.code : '251'
  return { _type: 'CONTRIBUTION', versions, audit: auditOf(access, system, type, description) }
}

const given = z.looseObject({
  uid: z.looseObject({ value: z.string().max(250) }),
  versions: z.array(z.looseObject({ id: z.looseObject({ value: z.string().max(250) }) })).max(1000),
  audit: z.unknown().optional(),
})

export interface GivenContribution {
  readonly uid: string
  /** Versions that it made, by their uids; of whatever kind. */
  readonly versions: readonly string[]
  readonly audit: unknown
}

/**
 * @param asked its uid; empty for any, when the record chose it
 * @throws Refusal upstream_invalid
 */
export function readGiven(body: unknown, asked: string): GivenContribution {
  const read = given.safeParse(body)
  if (!read.success) throw new Refusal('upstream_invalid', 'openehr: not a CONTRIBUTION')
  const { uid, versions, audit } = read.data
  // It becomes a header and an address of ours.
  const isAsked =
    asked === '' ? isObjectId(uid.value) : uid.value.toLowerCase() === asked.toLowerCase()
  if (!isAsked) throw new Refusal('upstream_invalid', 'openehr: another contribution than asked')
  return { uid: uid.value, versions: versions.map(({ id }) => id.value), audit }
}

/** Its audit without what its writer said of all that it changed. */
function auditAlone(audit: unknown): unknown {
  if (!isObject(audit)) return undefined
  const { description: _, ...rest } = audit
  return rest
}

/**
 * A contribution as it leaves: versions of compositions that may be seen, and who made them. Its writer's words are
 * left out with a version: they may be of that one.
 */
export const shownContribution = (
  { uid, audit: whole, versions: all }: GivenContribution,
  versions: readonly string[],
  audit = versions.length < all.length ? auditAlone(whole) : whole,
) => ({
  _type: 'CONTRIBUTION',
  uid: { _type: 'HIER_OBJECT_ID', value: uid },
  versions: versions.map((value) => ({
    _type: 'OBJECT_REF',
    id: { _type: 'OBJECT_VERSION_ID', value },
    namespace: 'local',
    type: 'COMPOSITION',
  })),
  ...(audit === undefined ? {} : { audit }),
})
