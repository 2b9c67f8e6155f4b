/** How a pretend GP system closes a care plan: it ends the launch, fetches what was written in it, and files that. */
import type { Clock, Random } from '../core/values.js'
import type { SentLaunch } from './desktop-inspector.js'
import { ASSERTION_TYPE, buildAssertion, type LaunchingSystem } from './desktop-launches.js'

const ANSWER_MS = 10_000

interface Parts {
  readonly gateway: { readonly origin: string }
  readonly clock: Clock
  readonly random: Random
  readonly fetch: typeof fetch
}

/** One line of the chart. */
export interface Filed {
  readonly title: string
  readonly flag: string
  readonly at: string
  readonly by: string
  /** What now stands, line by line; nothing where it was not told. */
  readonly text: readonly string[]
}

export interface Closed {
  readonly state: 'changed' | 'unchanged' | 'untold'
  readonly text: string
  readonly filed: readonly Filed[]
  readonly notes: readonly string[]
  /** As it came, for the inspector. */
  readonly bundle?: unknown
}

const untold = (text: string): Closed => ({ state: 'untold', text, filed: [], notes: [] })

interface Reference {
  readonly reference?: string
  readonly display?: string
  readonly type?: string
}
interface Resource {
  readonly resourceType: string
  readonly title?: string
  readonly identifier?: readonly { readonly value?: string }[]
  readonly entry?: readonly {
    readonly flag: { readonly text: string }
    readonly date: string
    readonly item: Reference
  }[]
  readonly note?: readonly { readonly text: string }[]
  readonly target?: readonly Reference[]
  readonly agent?: readonly { readonly who: Reference }[]
  readonly section?: readonly { readonly text: { readonly div: string } }[]
}
interface Bundle {
  readonly entry: readonly { readonly fullUrl: string; readonly resource: Resource }[]
}

const UNESCAPED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

/** A narrative as lines, without its markup. */
const linesOf = (div: string): readonly string[] =>
  div
    .replace(/<\/dt>/g, ': ')
    .replace(/<br\/>|<\/(?:dd|p)>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot);/g, (_, name: string) => UNESCAPED[name] ?? '')
    .split('\n')
    .filter((line) => line.trim() !== '')

const isSame = (a: Reference | undefined, b: Reference): boolean =>
  a?.reference === b.reference && a?.display === b.display

function filedFrom({ entry }: Bundle): Pick<Closed, 'filed' | 'notes'> {
  const all = (type: string) =>
    entry.flatMap(({ resource }) => (resource.resourceType === type ? [resource] : []))
  const [list] = all('List')
  const filed = (list?.entry ?? []).map(({ flag, date, item }) => {
    const act = all('Provenance').findLast(({ target }) => isSame(target?.[0], item))
    const stands = entry.find(({ fullUrl }) => fullUrl === item.reference)?.resource
    return {
      title: item.display ?? stands?.title ?? item.type ?? '',
      ...{ flag: flag.text, at: date },
      by: act?.agent?.[0]?.who.display ?? '',
      text: linesOf(stands?.section?.[0]?.text.div ?? ''),
    }
  })
  return { filed, notes: (list?.note ?? []).map(({ text }) => text) }
}

function read(bundle: Bundle, nhsNumber: string): Closed {
  const patient = bundle.entry.find(({ resource }) => resource.resourceType === 'Patient')
  // Whatever came back, nothing of another patient is filed in this chart.
  if (!patient?.resource.identifier?.some(({ value }) => value === nhsNumber))
    return untold('What came back is of another patient. Nothing was filed.')
  const { filed, notes } = filedFrom(bundle)
  const changed = filed.length > 0 || notes.length > 0
  const text = changed ? 'The care plan was changed.' : 'Nothing was changed in the care plan.'
  return { state: changed ? 'changed' : 'unchanged', text, filed, notes, bundle }
}

/**
 * @param system under the name that it signs by
 * @param nhsNumber of the chart that it was opened from
 */
export async function closePlan(
  { gateway, clock, random, fetch: call }: Parts,
  system: LaunchingSystem,
  sent: SentLaunch,
  nhsNumber: string,
): Promise<Closed> {
  const name = sent.launch ?? sent.handle ?? sent.jti
  if (system.rung === 'sealed')
    return untold('This GP system signs nothing, so it cannot ask what was changed.')
  if (name === undefined || sent.refused) return untold('No care plan was opened.')
  const assertion = () => buildAssertion({ system, gateway: gateway.origin, clock, random })
  const signal = AbortSignal.timeout(ANSWER_MS)
  try {
    const end = {
      ...{ client_assertion_type: ASSERTION_TYPE, client_assertion: await assertion() },
      ...{ launch: name, sign_on: 'keep' },
    }
    const body = new URLSearchParams(end)
    await call(`${gateway.origin}/launch/end`, { method: 'POST', body, signal })
    const headers = {
      authorization: `Bearer ${await assertion()}`,
      'idempotency-key': Buffer.from(random(16)).toString('hex'),
    }
    const address = `${gateway.origin}/launch/${encodeURIComponent(name)}/outcome`
    const answer = await call(address, { headers, signal })
    const said = await answer.json()
    if (answer.status === 404) return untold('No care plan was opened.')
    if (answer.ok) return read(said as Bundle, nhsNumber)
    return untold(String((said as { error_description?: unknown }).error_description))
  } catch {
    return untold('The gateway did not say what was changed: look at the care plan.')
  }
}
