/**
 * What was written in a launch, as it is kept until the launch's own system has fetched it, and how much of it that
 * system is told. A write is kept before it goes on, as one of which nobody knows yet whether it was done: so a cut at
 * any moment leaves it uncertain, and never untold.
 */
import type { Access } from './access.js'
import type { OdsCode, Purpose } from './context.js'
import type { SignOnId } from './ids.js'
import type { Json } from './json.js'
import { plainNumbers } from './json-text.js'
import { isLabelled } from './patient-flags.js'
import type { PlanSection } from './plan.js'
import { type SectionText, sectionDiv, sectionText } from './section-text.js'
import type { EpochMs, Seconds } from './values.js'

/** How many times a launch may write before "and more" is all that is told of the rest. */
export const MOST_ACTS = 100
/** For how long the same request is answered again. */
export const RETRY: Seconds = 300
/** In which time an outcome leaves, or does not: who takes longer has lost it to the next that asks. */
export const RELEASED_WITHIN: Seconds = 60
/** The longest text or resource that is handed on, and the most of a whole outcome, in bytes. */
export const MOST_HELD = { each: 100_000, outcome: 4_000_000 } as const

/** How many of a launch's writes are kept whole, and what is kept of each, of those and of all after them. */
const FIRST_WRITES = 4
const ROOM = {
  first: { changes: 50, bytes: 500_000 },
  after: { changes: 10, bytes: 20_000 },
} as const

/**
 * How much is kept of a write, by how many its launch began before it: so that all of them together are no more than an
 * outcome may be, whoever writes where, and nobody has to count them.
 */
export const roomAt = (place: number): { readonly changes: number; readonly bytes: number } =>
  place < FIRST_WRITES ? ROOM.first : ROOM.after

/** Whose launch it was, for whom: kept from when it opens. */
export interface Outcome {
  readonly system: string
  readonly app: string
  readonly organization: OdsCode
  readonly purpose: Purpose
  readonly signOn: SignOnId
  readonly patient: {
    readonly fhirId: string
    readonly nhsNumber: string
    /** Whose record the id is of; absent: the region's. */
    readonly tenant?: string
    /** By which the launch named them, where it was not the current one. */
    readonly supersededNumber?: string
    readonly sensitive: boolean
  }
  readonly until: EpochMs
}

export type Changed =
  | { readonly kind: 'section'; readonly template: string; readonly title: string }
  | { readonly kind: 'resource'; readonly type: string; readonly id?: string }

export interface Changer {
  readonly id: string
  readonly national: boolean
  readonly name?: string
  readonly roles: readonly string[]
  readonly organization: { readonly odsCode: string; readonly name?: string }
}

/** Why what was written is not handed on, in words for whoever reads the outcome. */
// biome-ignore format: a table
export const WITHHELD = {
  reader:       'Whoever wrote it may not read it back.',
  patient:      'What is written of this patient is not handed on.',
  label:        'What carries a security label is not handed on.',
  organization: 'It was written for another organisation than the one that launched.',
  registration: 'This system is told of changes, not of what they say.',
  size:         'It is too long to be handed on.',
} as const
export type Withheld = keyof typeof WITHHELD

export type Held =
  | { readonly text: SectionText }
  | { readonly resource: Json }
  | { readonly withheld: Withheld }

export interface Change {
  readonly at: EpochMs
  /** The FHIR id of whose record it is. */
  readonly patient: string
  readonly does: 'create' | 'update' | 'delete'
  readonly changed: Changed
  readonly by: Changer
  /** The record said so of the patient by then, whether or not the launch knew. */
  readonly sensitive?: true
  /** The version that it followed. */
  readonly previous?: string
  /** Absent while nobody knows whether it was done. */
  readonly done?: { readonly version?: string; readonly held?: Held }
}

/** A write that is about to go on. */
export interface Writing {
  readonly does: Change['does']
  readonly what:
    | { readonly template: string }
    | { readonly type: string; readonly id?: string | undefined }
  readonly previous?: string | undefined
}

/** What came of it, once the record has said yes. */
export interface Written {
  readonly version?: string | undefined
  /** Of a resource that is new. */
  readonly id?: string | undefined
  /** What now stands, if whoever wrote it may read it. */
  readonly content?: unknown
}

function changerOf({ user, grant }: Access): Changer {
  const { sdsUserId, name, roles, organization } = user
  const { odsCode, name: organizationName } = organization
  return {
    id: sdsUserId ?? grant.subject,
    national: sdsUserId !== undefined,
    ...(name === undefined ? {} : { name }),
    roles,
    organization: {
      odsCode,
      ...(organizationName === undefined ? {} : { name: organizationName }),
    },
  }
}

function changedBy({ what }: Writing, plan: readonly PlanSection[]): Changed {
  if ('template' in what) {
    const { template } = what
    const title = plan.find((section) => section.template === template)?.title ?? template
    return { kind: 'section', template, title }
  }
  return { kind: 'resource', type: what.type, ...(what.id === undefined ? {} : { id: what.id }) }
}

/**
 * A write as it is kept before it goes on.
 * @throws Error when it is not of the patient whom its launch is of: a fault, no answer to anybody
 */
export function changeOf(
  outcome: Outcome,
  access: Access,
  writing: Writing,
  plan: readonly PlanSection[],
  at: EpochMs,
): Change {
  const { context, circumstances } = access.grant
  const { patient } = context
  if (patient !== outcome.patient.fhirId)
    throw new Error('a write of another patient than its launch')
  const { does, previous } = writing
  return {
    ...{ at, patient, does, changed: changedBy(writing, plan), by: changerOf(access) },
    ...(circumstances.patient.sensitive ? { sensitive: true } : {}),
    ...(previous === undefined ? {} : { previous }),
  }
}

/** In bytes, as it is kept and as it leaves: what is marked up may be several times as long. */
function sizeOf(held: Held): number {
  const kept = Buffer.byteLength(JSON.stringify(held))
  return 'text' in held ? Math.max(kept, Buffer.byteLength(sectionDiv(held.text))) : kept
}

/** What of it may be kept to be handed on: nothing that the rules below take out is ever kept. */
function heldOf(
  outcome: Outcome,
  { by, changed, sensitive }: Change,
  content: unknown,
  plan: readonly PlanSection[],
): Held {
  if (outcome.patient.sensitive || sensitive) return { withheld: 'patient' }
  if (by.organization.odsCode !== outcome.organization) return { withheld: 'organization' }
  if (content === undefined) return { withheld: 'reader' }
  if (changed.kind === 'resource' && isLabelled(content as Json)) return { withheld: 'label' }
  const section = plan.find(
    ({ template }) => changed.kind === 'section' && template === changed.template,
  )
  const held: Held = section
    ? { text: sectionText(section, plainNumbers(content)) }
    : { resource: content as Json }
  return sizeOf(held) > MOST_HELD.each ? { withheld: 'size' } : held
}

/** The change, now that the record has said yes. */
export function doneChange(
  outcome: Outcome,
  change: Change,
  { version, id, content }: Written,
  plan: readonly PlanSection[],
): Change {
  const { changed, does } = change
  return {
    ...change,
    changed: changed.kind === 'resource' && id !== undefined ? { ...changed, id } : changed,
    done: {
      ...(version === undefined ? {} : { version }),
      ...(does === 'delete' ? {} : { held: heldOf(outcome, change, content, plan) }),
    },
  }
}

/** No more text than may be kept, or leave, at once: what comes after that is told without. */
export function bounded(changes: readonly Change[], most: number): readonly Change[] {
  let left = most
  return changes.map((change) => {
    const { done } = change
    if (done?.held === undefined) return change
    left -= sizeOf(done.held)
    return left >= 0 ? change : { ...change, done: { ...done, held: { withheld: 'size' } } }
  })
}
