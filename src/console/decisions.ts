/** Why a decision was made: what was asked, what was answered, by which policies, at which version. */
import { searchBack } from '../audit/recent.js'
import type { TrailEntry } from '../core/audit.js'
import { type LaunchId, launchTime } from '../core/ids.js'
import { after, type EpochMs, type Seconds } from '../core/values.js'
import { type ParsedPolicy, parsePolicies } from '../policy/parse.js'
import type { PolicyFiles } from '../policy/source.js'
import { inWords } from './in-words.js'
import { entriesOfLaunch } from './launch.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { type Rebuilt, rebuilt } from './rebuilt.js'
import { typed } from './typed.js'

/** A reference has no time in it: so far back it is looked for. */
const BACK: Seconds = 90 * 86_400
const MOST_READ = 200_000
const MOST_VERSIONS = 8
const MOST_DECISIONS = 50
/** Denials that are asked again, the last ones: each takes a thread for a moment. */
const MOST_REBUILT = 3

const ID = /^(ref|lch)_[\w-]{8,60}$/

interface Version {
  readonly byId: ReadonlyMap<string, ParsedPolicy>
  /** Absent where the store does not have it any more. */
  readonly files?: PolicyFiles
}

/** Policies of past versions by id: read once, and few are kept. */
function policyTexts({ store }: ConsoleParts) {
  const kept = new Map<number, Version>()
  return async (version: number): Promise<Version> => {
    const known = kept.get(version)
    if (known) return known
    const files = (await store.get('policy', String(version)))?.files
    const { policies } = files ? parsePolicies(files) : { policies: [] }
    const found = {
      byId: new Map(policies.map((policy) => [policy.id, policy])),
      ...(files ? { files } : {}),
    }
    if (files) kept.set(version, found)
    if (kept.size > MOST_VERSIONS) kept.delete([...kept.keys()][0] ?? 0)
    return found
  }
}

async function entriesAbout(
  parts: ConsoleParts,
  of: string,
  now: EpochMs,
): Promise<readonly TrailEntry[]> {
  if (launchTime(of) !== undefined) return (await entriesOfLaunch(parts, of as LaunchId)).entries
  const bounds = { from: after(now, -BACK), to: now + 1, most: MOST_READ, limit: 5 }
  const { entries } = await searchBack(parts.store, { reference: of }, bounds)
  const [first] = entries
  // The denial is one entry; what led to it stands in its launch.
  const launched =
    first?.launch === undefined ? [] : (await entriesOfLaunch(parts, first.launch)).entries
  const rest = entries.filter(({ hash }) => !launched.some((entry) => entry.hash === hash))
  return [...launched, ...rest]
}

/** Who asked stands there by role and place; by name only for those who may follow launches in the trail. */
function askedOf(entry: TrailEntry, named: boolean): readonly (readonly [string, string])[] {
  const { user, app, system, purpose, detail = {}, launch } = entry
  const scopes = Array.isArray(detail.scopes) ? detail.scopes.join(' ') : ''
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['User', named ? [user?.name, user?.id].filter(Boolean).join(', ') : undefined],
    ['Roles', user?.roles?.join(', ') || (user ? 'none' : undefined)],
    ['Organisation', user?.organization],
    ['Launch system', system],
    ['App', app],
    ['Purpose', purpose],
    ['Asked for', detail.action === 'grant' ? 'access for the app' : undefined],
    [
      'Console',
      entry.what.startsWith('console_') ? String(detail.why ?? detail.act ?? '') : undefined,
    ],
    ['Denied', Array.isArray(detail.asked) ? detail.asked.join(', ') : undefined],
    ['Allowed scopes', scopes || undefined],
    ['Launch', launch],
  ]
  return rows.filter(
    (row): row is readonly [string, string] => row[1] !== undefined && row[1] !== '',
  )
}

const isDecision = ({ policy, what }: TrailEntry): boolean =>
  policy?.effect !== undefined && what !== 'console_viewed'

/** A denial makes two entries, what was decided and what the user was told: they are one here. */
function told(found: readonly TrailEntry[]): readonly TrailEntry[] {
  const isTelling = (entry: TrailEntry): boolean => entry.what.endsWith('_refused')
  return found.flatMap((entry, i) => {
    const [before, next] = [found[i - 1], found[i + 1]]
    if (isTelling(entry) && before?.what === 'decision_made' && before.policy?.effect === 'deny')
      return []
    const telling = next && isTelling(next) && entry.policy?.effect === 'deny' ? next : undefined
    const { refusal, reference } = telling ?? {}
    return [{ ...entry, ...(refusal ? { refusal } : {}), ...(reference ? { reference } : {}) }]
  })
}

const SUBJECTS: Partial<Readonly<Record<TrailEntry['what'], string>>> = {
  decision_made: 'the launch',
  access_allowed: 'a call to the record',
  access_refused: 'a call to the record',
  console_refused: 'a page of the console',
}

const subjectOf = ({ what, detail }: TrailEntry): string =>
  detail?.action === 'grant' ? 'access for the app' : (SUBJECTS[what] ?? what.replaceAll('_', ' '))

type Texts = ReturnType<typeof policyTexts>

async function explained(texts: Texts, entry: TrailEntry, named: boolean) {
  const { policy, at, refusal, reference } = entry
  const version = policy?.version ?? 0
  const { byId: known } = await texts(version)
  return {
    ...{
      when: inWords(at),
      what: subjectOf(entry),
      effect: policy?.effect,
      version,
      refusal,
      reference,
    },
    errors: policy?.errors ?? [],
    asked: askedOf(entry, named),
    policies: (policy?.policies ?? []).map((id) => {
      const found = known.get(id)
      return {
        id,
        reason: found?.reason,
        text: found?.text,
        effect: found?.effect,
        layer: found?.layer,
        file: found?.file,
        line: found?.line,
      }
    }),
  }
}

/** For the last denials: what would have had to be different. By their hashes. */
async function turnsOf(parts: ConsoleParts, texts: Texts, found: readonly TrailEntry[]) {
  const denied = found.filter(
    ({ what, policy }) =>
      (what === 'decision_made' || what === 'access_refused') && policy?.effect === 'deny',
  )
  const turns = denied.slice(-MOST_REBUILT).map(async (entry) => {
    const { files } = await texts(entry.policy?.version ?? 0)
    const missing = { missing: 'That version is not in the store any more.' }
    return [entry.hash, files ? await rebuilt(parts, entry, files) : missing] as const
  })
  return new Map<string, Rebuilt>(await Promise.all(turns))
}

/** GET and POST /console/decisions, and GET /console/decisions/:of, where `of` is a reference or a launch. */
export function decisions(parts: ConsoleParts): (visit: Visit) => Promise<Shown> {
  const texts = policyTexts(parts)
  return async (visit) => {
    const of = visit.params.of ?? typed(visit, 'of')
    const base = { view: 'decisions', title: 'Why was this decided?' }
    if (of === '') return { ...base, data: { of } }
    if (!ID.test(of)) {
      const problem = 'Give a reference (ref_…) from a page, or a launch (lch_…).'
      return { ...base, data: { of, problem }, status: 400 }
    }
    const found = told((await entriesAbout(parts, of, visit.now)).filter(isDecision))
    const named = visit.may('console-view', 'trail')
    const turns = await turnsOf(parts, texts, found)
    const rows = await Promise.all(
      found.slice(-MOST_DECISIONS).map(async (entry) => ({
        ...(await explained(texts, entry, named)),
        turns: turns.get(entry.hash),
      })),
    )
    const launch = found.find((entry) => entry.launch !== undefined)?.launch
    return {
      ...base,
      about: { ...(launch === undefined ? {} : { launch }), detail: { of, rows: rows.length } },
      data: {
        of,
        rows,
        launch: visit.may('console-view', 'launches') ? launch : undefined,
        looked: true,
      },
    }
  }
}
