/**
 * The outcome of a launch as the launch's system gets it: a Bundle that says what was changed (a List of mode
 * `changes`, which also says that nothing was), who changed it (a Provenance for each write), and what now stands (a
 * Composition for each section, a resource as it is). The same facts make the same Bundle, to the character.
 *
 * @see FHIR R4, "Bundle" (collection), "List" (changes), "Provenance", "Composition"
 */
import { sha256 } from './ids.js'
import type { Json } from './json.js'
import {
  bounded,
  type Change,
  type Changer,
  MOST_HELD,
  type Outcome,
  WITHHELD,
  type Withheld,
} from './outcome.js'
import { type Thing, thingsOf } from './outcome-told.js'
import { sectionDiv } from './section-text.js'
import type { EpochMs } from './values.js'

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number'
const SDS_USER = 'https://fhir.nhs.uk/Id/sds-user-id'
const ODS = 'https://fhir.nhs.uk/Id/ods-organization-code'
const OPERATION = 'http://terminology.hl7.org/CodeSystem/v3-DataOperation'
const PARTICIPANT = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type'
/** Marks what must not be taken for done by a reader who does not know the mark. @see FHIR R4, "modifierExtension" */
export const UNCERTAIN = 'urn:launch-gateway:not-known-whether-saved'
export const INCOMPLETE = 'urn:launch-gateway:more-was-changed'

/** What the Bundle is made of. */
export interface Told {
  readonly launch: string
  readonly outcome: Outcome
  readonly changes: readonly Change[]
  /** There was more than is kept. */
  readonly more: boolean
  readonly at: EpochMs
  readonly issuer: string
}

/** A name for a resource of this Bundle and no other (RFC 9562 §5.8). */
function urnOf(...words: readonly string[]): string {
  const hex = Buffer.from(sha256(words.join('\n')), 'base64url').toString('hex')
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
  ]
  return `urn:uuid:${[...parts, hex.slice(20, 32)].join('-')}`
}

const instant = (at: EpochMs): string => new Date(at).toISOString()

const patientOf = ({ outcome: { patient }, issuer }: Told) => ({
  reference: `${issuer}/fhir/Patient/${patient.fhirId}`,
  type: 'Patient',
  identifier: { system: NHS_NUMBER, value: patient.nhsNumber },
})

const personOf = ({ id, national, name }: Changer, { issuer }: Told) => ({
  type: 'Practitioner',
  identifier: { system: national ? SDS_USER : `${issuer}/subject`, value: id },
  ...(name === undefined ? {} : { display: name }),
})

/** A version of the record, by its name there. */
const versionOf = ({ changed }: Change, version: string, { issuer }: Told) =>
  changed.kind === 'section'
    ? { system: `${issuer}/openehr/v1/composition`, value: version }
    : { system: `${issuer}/fhir/${changed.type}/${changed.id ?? ''}`, value: version }

/** Where what a change made stands: in this Bundle, if it is what now stands and may be told; else by its name. */
function targetOf(change: Change, thing: Thing, told: Told) {
  const { changed, done } = change
  const type = changed.kind === 'section' ? 'Composition' : changed.type
  const display = changed.kind === 'section' ? { display: changed.title } : {}
  if (thing.last === change && placeOf(thing, told) !== undefined)
    return { reference: placeOf(thing, told), type, ...display }
  if (changed.kind === 'resource' && changed.id !== undefined)
    return { reference: `${told.issuer}/fhir/${changed.type}/${changed.id}`, type }
  const version = done?.version
  return {
    ...(version === undefined ? {} : { identifier: versionOf(change, version, told) }),
    ...{ type, display: changed.kind === 'section' ? changed.title : changed.type },
  }
}

/** The `fullUrl` of what now stands; none where it is not in the Bundle. */
function placeOf({ last }: Thing, { launch, issuer }: Told): string | undefined {
  const held = last?.done?.held
  if (!last || held === undefined || 'withheld' in held) return undefined
  const { changed } = last
  if (changed.kind === 'resource') return `${issuer}/fhir/${changed.type}/${changed.id ?? ''}`
  return urnOf(launch, 'composition', changed.template)
}

function standing(thing: Thing, told: Told) {
  const { last } = thing
  const held = last?.done?.held
  const fullUrl = placeOf(thing, told)
  if (!last || held === undefined || 'withheld' in held || fullUrl === undefined) return []
  if ('resource' in held) return [{ fullUrl, resource: held.resource }]
  const { changed, done, by, at } = last
  const title = changed.kind === 'section' ? changed.title : ''
  const version = done?.version
  const resource = {
    resourceType: 'Composition',
    ...(version === undefined ? {} : { identifier: versionOf(last, version, told) }),
    status: 'final',
    type: {
      coding: [{ system: 'http://snomed.info/sct', code: '734163000', display: 'Care plan' }],
    },
    subject: patientOf(told),
    date: instant(at),
    author: [personOf(by, told)],
    title,
    section: [{ title, text: { status: 'generated', div: sectionDiv(held.text) } }],
  }
  return [{ fullUrl, resource }]
}

function provenance(change: Change, thing: Thing, told: Told, i: number) {
  const { launch, issuer } = told
  const { at, does, by, done, previous } = change
  const { odsCode, name } = by.organization
  const coding = [{ system: OPERATION, code: does.toUpperCase() }]
  const uncertain = { text: 'Not known whether it was saved' }
  const resource = {
    resourceType: 'Provenance',
    ...(done ? {} : { modifierExtension: [{ url: UNCERTAIN, valueBoolean: true }] }),
    target: [targetOf(change, thing, told)],
    occurredDateTime: instant(at),
    recorded: instant(at),
    activity: { coding, ...(done ? {} : uncertain) },
    agent: [
      {
        type: { coding: [{ system: PARTICIPANT, code: 'author' }] },
        role: by.roles.map((role) => ({ coding: [{ system: `${issuer}/role`, code: role }] })),
        who: personOf(by, told),
        onBehalfOf: {
          type: 'Organization',
          identifier: { system: ODS, value: odsCode },
          ...(name === undefined ? {} : { display: name }),
        },
      },
    ],
    entity: [
      { role: 'source', what: { identifier: { system: `${issuer}/launch`, value: launch } } },
      ...(previous === undefined
        ? []
        : [{ role: 'revision', what: { identifier: versionOf(change, previous, told) } }]),
    ],
  }
  return { fullUrl: urnOf(launch, 'provenance', String(i)), resource }
}

// biome-ignore format: a table
const FLAGS = { create: 'Created', update: 'Changed', delete: 'Deleted' } as const

function itemOf(thing: Thing, told: Told) {
  const { last, uncertain, changes } = thing
  const change = last ?? (changes.at(-1) as Change)
  const words = [
    ...(last ? [FLAGS[last.does]] : []),
    ...(uncertain ? ['Not known whether it was saved: look at the care plan'] : []),
  ]
  return {
    flag: { text: words.join('. ') },
    // One who does not know whether it is still so is not told that it is gone.
    ...(last?.does === 'delete' && !uncertain ? { deleted: true } : {}),
    date: instant((changes.at(-1) as Change).at),
    item: targetOf(change, thing, told),
  }
}

const heldBack = (thing: Thing): readonly Withheld[] => {
  const held = thing.last?.done?.held
  return held !== undefined && 'withheld' in held ? [held.withheld] : []
}

function changeList(things: readonly Thing[], told: Told) {
  const { launch, at, more } = told
  const reasons = [...new Set(things.flatMap(heldBack))].map((why) => WITHHELD[why])
  const notes = [
    ...(reasons.length === 0 ? [] : [`Something is told without its text. ${reasons.join(' ')}`]),
    ...(more ? ['More was changed than is told here: look at the care plan.'] : []),
  ]
  const nothing = things.length === 0 && !more
  const resource = {
    resourceType: 'List',
    ...(more ? { modifierExtension: [{ url: INCOMPLETE, valueBoolean: true }] } : {}),
    ...{ status: 'current', mode: 'changes' },
    title: 'What was changed in the care plan in this launch',
    ...{ subject: patientOf(told), date: instant(at) },
    ...(notes.length === 0 ? {} : { note: notes.map((text) => ({ text })) }),
    ...(things.length === 0 ? {} : { entry: things.map((thing) => itemOf(thing, told)) }),
    ...(nothing ? { emptyReason: { text: 'Nothing was changed in this launch.' } } : {}),
  }
  return { fullUrl: urnOf(launch, 'list'), resource }
}

/** The Bundle for the launch's system, whose changes are already no more than it is told. */
export function outcomeBundle(given: Told): Json {
  const told = { ...given, changes: bounded(given.changes, MOST_HELD.outcome) }
  const { launch, outcome, issuer, at, changes } = told
  const { fhirId, nhsNumber, supersededNumber: old } = outcome.patient
  const things = thingsOf(changes)
  const patient = {
    resourceType: 'Patient',
    id: fhirId,
    identifier: [
      { system: NHS_NUMBER, value: nhsNumber },
      ...(old === undefined ? [] : [{ use: 'old', system: NHS_NUMBER, value: old }]),
    ],
  }
  return {
    resourceType: 'Bundle',
    identifier: { system: `${issuer}/launch`, value: launch },
    type: 'collection',
    timestamp: instant(at),
    entry: [
      changeList(things, told),
      { fullUrl: patientOf(told).reference, resource: patient },
      ...things.flatMap((thing) => standing(thing, told)),
      ...things.flatMap((thing) =>
        thing.changes.map((change) => provenance(change, thing, told, changes.indexOf(change))),
      ),
    ],
  }
}
