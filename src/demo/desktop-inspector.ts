/**
 * The launch inspector: what the desktop sent, what the trail says and what the tap heard, laid beside
 * each other as the stages of a launch. Pure: the same three inputs give the same table.
 */
import type { TrailEntry } from '../core/audit.js'
import type { LaunchId } from '../core/ids.js'
import { REFUSALS, type RefusalCode } from '../core/refusal.js'
import type { EpochMs } from '../core/values.js'
import { FAULTS, type FaultName } from './desktop-faults.js'
import { STAGES, type StageRow, stageOfEntry, standingOf } from './desktop-stages.js'
import type { SystemId } from './desktop-systems.js'
import type { TapEvent } from './desktop-tap.js'

/** A launch as the desktop made it. */
export interface SentLaunch {
  readonly id: `snt_${string}`
  readonly at: EpochMs
  readonly system: SystemId
  /** The number of the chart that it was made from. */
  readonly chart?: string
  /** How it went out, in plain words. */
  readonly how: string
  readonly fault?: FaultName
  /** The number of its launch token; and the SHA-256 of its inbound SMART handle. */
  readonly jti?: string
  readonly handle?: string
  readonly launch?: LaunchId
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  /** A refusal that the gateway gave the GP system's own server, before any page. */
  readonly refused?: Readonly<Record<string, unknown>>
}

export interface StageRefusal {
  readonly code: string
  /** What the clinician reads. */
  readonly text: string
  /** What the page shows, to be quoted to support. */
  readonly reference?: string
  /** The page that says so may not be framed, so that the frame stays empty. */
  readonly unframed?: boolean
}

export interface Stage {
  readonly name: string
  readonly title: string
  /** `unreached`: an earlier stage was refused. `passed`: it left no entry, yet the launch is past it. */
  readonly state: 'done' | 'refused' | 'waiting' | 'unreached' | 'passed'
  readonly text: string
  readonly refusal?: StageRefusal
  readonly facts: readonly { readonly label: string; readonly value: string }[]
  readonly entries: readonly TrailEntry[]
  readonly traffic: readonly TapEvent[]
}

function refusalOf(entry: TrailEntry, traffic: readonly TapEvent[]): StageRefusal {
  const code = entry.refusal ?? (entry.what === 'decision_made' ? 'launch_denied' : entry.what)
  const known = REFUSALS[code as RefusalCode]?.text
  const shown = traffic.map(({ answered }) => answered.reference).find((r) => r !== undefined)
  const reference = entry.reference ?? (typeof shown === 'string' ? shown : undefined)
  return {
    ...{ code, text: known ?? 'The gateway refused to go on.' },
    ...(reference === undefined ? {} : { reference }),
    ...(traffic.at(-1)?.answered['frame-ancestors'] === "'none'" ? { unframed: true } : {}),
  }
}

const word = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value))

/** What an entry says beyond its name, as label and value. */
function factsOf(entries: readonly TrailEntry[]): Stage['facts'] {
  const facts = new Map<string, string>()
  for (const { user, policy, detail, app, system, purpose, patient } of entries) {
    const row: Record<string, unknown> = {
      ...{ 'Launch system': system, App: app, Purpose: purpose },
      ...{ User: user?.name ?? user?.id, Roles: user?.roles, Organisation: user?.organization },
      ...{ 'Patient (record id)': patient?.fhirId },
      ...{ 'Policies say': policy?.effect, 'Policies that decided': policy?.policies },
      ...{ 'Policy version': policy?.version },
      ...detail,
    }
    for (const [label, value] of Object.entries(row)) {
      if (value !== undefined && word(value) !== '') facts.set(label, word(value))
    }
  }
  return [...facts].map(([label, value]) => ({ label, value }))
}

function stageOf(
  row: StageRow,
  trail: readonly TrailEntry[],
  traffic: readonly TapEvent[],
  over: boolean,
): Stage {
  const proven = trail.some(({ what }) => what === 'launch_verified')
  const entries = trail.filter((entry) => stageOfEntry(entry, proven) === row.name)
  const heard = traffic.filter(({ kind }) => row.traffic.includes(kind))
  const standing = standingOf(row, entries, trail)
  const said = { name: row.name, title: row.title, facts: factsOf(entries), entries }
  const shown = { ...said, traffic: heard.slice(-12) }
  if (standing.state === 'refused') {
    const refusal = refusalOf(standing.by, heard.length > 0 ? heard : traffic)
    return { ...shown, state: 'refused', text: refusal.text, refusal }
  }
  if (standing.state === 'done') return { ...shown, state: 'done', text: row.text }
  if (over) return { ...shown, state: 'unreached', text: 'Not reached: the launch ended above.' }
  return { ...shown, state: 'waiting', text: row.waiting }
}

function arrival(sent: SentLaunch): Stage {
  return {
    ...{
      name: 'sent',
      title: 'The GP system launches',
      state: 'done',
      text: sent.fault ? FAULTS[sent.fault].does : sent.how,
    },
    ...{ facts: [], entries: [], traffic: [] },
  }
}

/** A refusal that came back to the GP system's server and that the trail cannot tie to this launch. */
function refusedAtOnce(sent: SentLaunch, stage: Stage): Stage {
  if (!sent.refused || stage.state !== 'waiting') return stage
  const { error, error_description, reference } = sent.refused
  const text = typeof error_description === 'string' ? error_description : 'The gateway refused.'
  return {
    ...{ ...stage, state: 'refused', text },
    refusal: {
      ...{ code: String(error ?? 'refused'), text },
      ...(typeof reference === 'string' ? { reference } : {}),
    },
  }
}

/** A stage that still waits although a later one has spoken is behind us. */
function behind(stages: readonly Stage[]): readonly Stage[] {
  const last = stages.findLastIndex(({ state }) => state === 'done' || state === 'refused')
  return stages.map((stage, i) => {
    const row = STAGES[i - 1]
    if (row === undefined || i >= last || stage.state !== 'waiting') return stage
    return { ...stage, state: 'passed', text: row.passed }
  })
}

/** The launch's stages so far, in order. After a refusal the later ones read as not reached. */
export function stagesOf(
  sent: SentLaunch,
  trail: readonly TrailEntry[],
  traffic: readonly TapEvent[],
): readonly Stage[] {
  const stages = [arrival(sent)]
  for (const row of STAGES) {
    const over = stages.some(({ state }) => state === 'refused' || state === 'unreached')
    const stage = stageOf(row, trail, traffic, over)
    stages.push(row.name === 'proof' ? refusedAtOnce(sent, stage) : stage)
  }
  return behind(stages)
}

/** Nothing more is to come: refused, or the record was read. */
export const isComplete = (stages: readonly Stage[]): boolean =>
  stages.some(({ state }) => state === 'refused') || stages.at(-1)?.state === 'done'

/**
 * Whether a trail entry speaks of what the desktop sent: by launch, by token number, by handle, by the
 * reference that the refusal gave, or, for what could not be believed, by being a refusal since it was
 * sent that names neither.
 */
export function isAbout(sent: SentLaunch, entry: TrailEntry): boolean {
  if (entry.at < sent.at) return false
  if (sent.launch !== undefined && entry.launch === sent.launch) return true
  if (entry.what === 'authorization_refused')
    return entry.launch === undefined && sent.fault === 'made-up-handle'
  if (entry.what !== 'launch_verified' && entry.what !== 'launch_refused') return false
  const { jti, handle } = entry.detail ?? {}
  if (handle !== undefined) return handle === sent.handle
  if (jti !== undefined) return jti === sent.jti
  const reference = sent.refused?.reference
  if (reference !== undefined) return entry.reference === reference
  return entry.what === 'launch_refused' && (entry.system ?? sent.system) === sent.system
}
