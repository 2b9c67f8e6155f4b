/**
 * Whether what a composition says of its own provenance is true. A value may say that it came from the GP record only
 * where this launch brought the item, the caller may read it, and the section's definition makes exactly this value of
 * it; where the gateway saw all this in the launch in which its writer began (witness.ts); or where it stood there
 * before and is as it was. All else is refused: a reader trusts a source more than a typist.
 */
import { mainOf, offersOf } from './adoption.js'
import { canonical } from './chain.js'
import { feederAudit, sourceOf, type Witness } from './feeder-audit.js'
import type { Handover } from './handover.js'
import { isObject, type Json } from './json.js'
import { plainNumbers } from './json-text.js'
import type { PlanSection } from './plan.js'
import { Refusal } from './refusal.js'
import { witnessFor } from './witness.js'

const isAudited = (node: Json): boolean =>
  node.feeder_audit !== undefined && node.feeder_audit !== null

/**
 * Every object that says where it comes from. None within an ELEMENT or an audit that does so already: they are
 * compared whole, so that no part is looked at more than once.
 */
function auditedIn(value: unknown, found: Json[] = []): readonly Json[] {
  if (typeof value !== 'object' || value === null) return found
  const own = isObject(value) && isAudited(value)
  if (own) found.push(value)
  if (own && value._type === 'ELEMENT') return found
  for (const [name, member] of Object.entries(value))
    if (!own || name !== 'feeder_audit') auditedIn(member, found)
  return found
}

/**
 * One text for one meaning: servers say `null`, or nothing, for what is not there; and a browser's JSON knows 1.50 as 1.5.
 */
const plain = (value: unknown): string =>
  canonical(plainNumbers(JSON.parse(JSON.stringify(value, (_, each) => each ?? undefined))))

/** An ELEMENT's provenance is that of its value; of what holds others, only that it stood there. */
const keyOf = (node: Json): string => {
  const { _type, archetype_node_id, feeder_audit } = node
  return plain(_type === 'ELEMENT' ? node : { _type, archetype_node_id, feeder_audit })
}

/** Whether anything in it says where it comes from. */
export const saysSource = (composition: Json): boolean => auditedIn(composition).length > 0

const unproven = (detail: string) => new Refusal('provenance_unproven', detail)

/** In one composition: each is compared, and none of them is small. */
const MOST_AUDITED = 400

/**
 * What is said of provenance that the version before did not say.
 * @param standing absent for a new composition
 * @throws Refusal provenance_unproven for more than anybody would look at
 */
export function claimsIn(composition: Json, standing?: unknown): readonly Json[] {
  const said = auditedIn(composition)
  if (said.length > MOST_AUDITED) throw unproven('too many')
  const before = new Set(auditedIn(standing).map(keyOf))
  return said.filter((node) => !before.has(keyOf(node)))
}

/** By the node of a row: the nodes of what says which item it is. What else it says is nothing without that. */
type Mains = ReadonlyMap<unknown, ReadonlySet<unknown>>

function mainsOf({ fields, adopt = [] }: PlanSection): Mains {
  const mains = new Map<unknown, Set<unknown>>()
  for (const { into, as } of adopt) {
    const group = fields.find(({ id, type }) => id === into && type === 'group')
    if (!group) continue
    const parts = (group.fields ?? []).filter(({ id }) => as[id])
    const own = mains.get(group.node) ?? new Set()
    for (const part of [parts[0], mainOf(parts)]) own.add(part?.node)
    mains.set(group.node, own)
  }
  return mains
}

const isElement = (value: unknown): value is Json => isObject(value) && value._type === 'ELEMENT'

/** What rows say of their provenance, where it is of several items, or not of what the row is about. */
function doubtfulRows(value: unknown, mains: Mains, found: string[] = []): readonly string[] {
  if (typeof value !== 'object' || value === null || isElement(value)) return found
  for (const each of Object.values(value)) doubtfulRows(each, mains, found)
  if (!isObject(value) || value._type !== 'CLUSTER' || !Array.isArray(value.items)) return found
  const elements = value.items.filter(isElement)
  const parts = elements.filter(isAudited)
  const audits = new Set(parts.map(({ feeder_audit }) => plain(feeder_audit)))
  const own = mains.get(value.archetype_node_id)
  const about = !own || parts.some(({ archetype_node_id: node }) => own.has(node))
  const sound = audits.size === 0 || (audits.size === 1 && about)
  if (!sound) found.push(elements.map(plain).sort().join())
  return found
}

/** What one item says in a row must not vouch for another's. @throws Refusal provenance_unproven */
function requireRows(composition: Json, standing: unknown, section: PlanSection): void {
  const mains = mainsOf(section)
  const before = new Set(doubtfulRows(standing, mains))
  if (!doubtfulRows(composition, mains).every((row) => before.has(row)))
    throw unproven('a row of several items, or of another than it says')
}

interface Launch {
  readonly id: string
  readonly gateway: string
  readonly section: PlanSection
  /** What it brought, as far as the caller may read it. */
  readonly handover: Handover | undefined
  /** What earlier launches brought of what the caller has not saved yet. */
  readonly witnesses?: readonly Witness[]
}

/** What the section makes of items that were brought: ELEMENTs by the item that they come of, each as one text. */
function makes(
  { section, handover }: Launch,
  items: ReadonlySet<unknown>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const made = new Map<string, Set<string>>()
  const brought = (handover?.resources ?? []).filter(({ resourceType, id }) =>
    items.has(`${resourceType}/${id}`),
  )
  const offers = brought.flatMap((one) => offersOf(section, plainNumbers(one) as Json))
  for (const { item, elements } of offers) {
    const own = made.get(item.id) ?? new Set()
    for (const { node, value } of elements) own.add(canonical({ node, value }))
    made.set(item.id, own)
  }
  return made
}

const MEMBERS = ['_type', 'name', 'archetype_node_id', 'value', 'feeder_audit']

/** Nothing beside the value that could say otherwise of it: that it is not known, or where else to look. */
const isPlain = (node: Json): boolean =>
  Object.entries(node).every(
    ([name, member]) => MEMBERS.includes(name) || member === null || member === undefined,
  ) && auditedIn(node.name).length === 0

/** An ELEMENT as it is held against what was brought. */
interface Claimed {
  readonly node: unknown
  readonly value: unknown
}

/** What the gateway itself says of each ELEMENT's provenance. @throws Refusal provenance_unproven */
function auditsFor(claims: readonly Json[], launch: Launch): ReadonlyMap<unknown, Json> {
  const { id, gateway, handover, witnesses = [] } = launch
  const items = new Set(claims.map(({ feeder_audit }) => sourceOf(feeder_audit)?.item))
  const made = makes(launch, items)
  return new Map(
    claims.map((node) => {
      const source = sourceOf(node.feeder_audit)
      if (!isElement(node) || source === undefined || !isPlain(node))
        throw unproven('not an item of a launch')
      const { item } = source
      const claim = plainNumbers({ node: node.archetype_node_id, value: node.value }) as Claimed
      const seen = witnessFor(witnesses, { ...source, ...claim })
      if (seen) return [node, feederAudit({ ...seen, gateway })]
      const said = canonical(claim)
      if (handover === undefined || !made.get(item)?.has(said))
        throw unproven('the launch did not bring it')
      return [node, feederAudit({ from: handover.from, item, launch: id, gateway })]
    }),
  )
}

function replaced(value: unknown, audits: ReadonlyMap<unknown, Json>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((each) => replaced(each, audits))
  const members = Object.entries(value).map(([name, each]) => [name, replaced(each, audits)])
  const audit = audits.get(value)
  return { ...Object.fromEntries(members), ...(audit ? { feeder_audit: audit } : {}) }
}

/**
 * The composition with every new claim proven, and put in the gateway's own words.
 * @param claims of {@link claimsIn}
 * @throws Refusal provenance_unproven
 */
export function proven(
  composition: Json,
  standing: unknown,
  claims: readonly Json[],
  launch: Launch,
): Json {
  const audits = auditsFor(claims, launch)
  const result = audits.size === 0 ? composition : (replaced(composition, audits) as Json)
  requireRows(result, standing, launch.section)
  return result
}
