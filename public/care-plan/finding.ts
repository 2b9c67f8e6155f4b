/**
 * What the reads together allow us to say. "No plan" is a clinical statement: it is made only when the
 * record answered and had none, never because something did not answer.
 */
import type { Composition, Entry } from './composition.js'

/** What the search for a CarePlan said. `listed`: one that is neither active nor over, such as a draft. */
export type Index = 'active' | 'listed' | 'none' | 'unread'
/**
 * Whether sections were found. `hidden`: there are some, and this role may see none of them. `no-ehr`: the
 * launch named no EHR. `withheld`: the role may not ask.
 */
export type Content = 'found' | 'empty' | 'hidden' | 'no-ehr' | 'withheld' | 'unread'
export type Finding = 'plan' | 'none' | 'unknown'

// biome-ignore format: a table
const FINDINGS: Readonly<Record<Index, Readonly<Record<Content, Finding>>>> = {
  active: { found: 'plan', empty: 'plan',    hidden: 'plan', 'no-ehr': 'unknown', withheld: 'plan',    unread: 'unknown' },
  listed: { found: 'plan', empty: 'plan',    hidden: 'plan', 'no-ehr': 'unknown', withheld: 'plan',    unread: 'unknown' },
  none:   { found: 'plan', empty: 'none',    hidden: 'plan', 'no-ehr': 'none',    withheld: 'unknown', unread: 'unknown' },
  unread: { found: 'plan', empty: 'unknown', hidden: 'plan', 'no-ehr': 'unknown', withheld: 'unknown', unread: 'unknown' },
}

/**
 * @param seen how many sections the role would see. What was never asked for must not be shown as empty; when
 * the role would see none, there is nothing to ask for.
 */
export const findingOf = (index: Index, content: Content, seen: number): Finding =>
  content === 'withheld' && seen > 0 ? 'unknown' : FINDINGS[index][content]

/** Whether a plan may be begun: the record was read, and holds nothing of one. */
export const isNone = (index: Index, content: Content): boolean =>
  index === 'none' && content === 'empty'

export class ForeignPatient extends Error {
  override readonly name = 'ForeignPatient'
}

interface FhirResource {
  readonly resourceType?: string
  readonly status?: string
  readonly subject?: { readonly reference?: string }
}
interface FhirBundle {
  readonly resourceType?: string
  readonly link?: readonly { readonly relation?: string }[]
  readonly entry?: readonly { readonly resource?: FhirResource }[]
}

/** The statuses of a plan that is over, or never was. Any other, an unknown one too, may be a plan. */
const OVER = ['completed', 'revoked', 'entered-in-error']

/** @throws ForeignPatient when an answer is a CarePlan of another patient */
export function requireOwn(json: unknown, patient: string): void {
  const plan = json as FhirResource | null | undefined
  if (plan?.resourceType !== 'CarePlan') return
  const subject = plan.subject?.reference?.split('/').slice(-2).join('/')
  if (subject !== `Patient/${patient}`) throw new ForeignPatient('CarePlan')
}

/**
 * @throws ForeignPatient when a plan of the answer is another patient's
 * @throws TypeError when it is no search result at all: an unreadable answer is not an empty one
 */
export function readIndex(json: unknown, patient: string): Index {
  const bundle = json as FhirBundle | null
  if (bundle?.resourceType !== 'Bundle') throw new TypeError('not a Bundle')
  const plans = (bundle.entry ?? [])
    .map(({ resource }) => resource)
    .filter((resource) => resource?.resourceType === 'CarePlan')
  for (const plan of plans) requireOwn(plan, patient)
  if (plans.some((plan) => plan?.status === 'active')) return 'active'
  // The plan may stand on the next page.
  if (bundle.link?.some(({ relation }) => relation === 'next')) return 'unread'
  return plans.every((plan) => OVER.includes(plan?.status ?? '')) ? 'none' : 'listed'
}

/** The newest entry of each template, and the templates that have more than one. */
export interface Entries {
  readonly newest: ReadonlyMap<string, Entry>
  readonly several: ReadonlySet<string>
  /** The gateway left out entries that this role may not see. */
  readonly withheld: boolean
}

interface ResultSet {
  readonly columns?: readonly { readonly name?: string }[]
  readonly rows?: readonly (readonly unknown[])[]
  /** The gateway's own member, beside those of openEHR. */
  readonly __withheld?: unknown
}

const started = ({ composition }: Entry): number =>
  Date.parse(composition.context?.start_time?.value ?? '') || 0

/**
 * @throws TypeError when it is no result set with the columns that were asked for
 * @throws ForeignPatient when a row names another EHR
 */
export function readEntries(json: unknown, ehrId: string): Entries {
  const set = json as ResultSet | null
  const place = (name: string) => set?.columns?.findIndex((column) => column.name === name) ?? -1
  const [template, uid, composition] = [place('template'), place('uid'), place('composition')]
  if (!Array.isArray(set?.rows) || Math.min(template, uid, composition) < 0) {
    throw new TypeError('not the sections of a plan')
  }
  const ehr = place('ehr')
  const newest = new Map<string, Entry>()
  const several = new Set<string>()
  for (const row of set.rows) {
    if (ehr >= 0 && row[ehr] !== ehrId) throw new ForeignPatient('EHR')
    const name = String(row[template])
    const entry = { version: String(row[uid]), composition: row[composition] as Composition }
    if (entry.composition?._type !== 'COMPOSITION') throw new TypeError('not a composition')
    const other = newest.get(name)
    if (other) several.add(name)
    if (!other || started(entry) > started(other)) newest.set(name, entry)
  }
  const { __withheld: withheld = false } = set
  return { newest, several, withheld: withheld !== false }
}
