/** Launches, refusals and how long opening took, hour by hour over the last day: from the trail, and bounded. */
import { walkBack } from '../audit/recent.js'
import type { TrailEntry } from '../core/audit.js'
import { launchTime } from '../core/ids.js'
import type { EpochMs } from '../core/values.js'
import { inColumns } from './in-words.js'
import type { Shown } from './page.js'
import type { ConsoleParts } from './parts.js'

const HOUR: EpochMs = 3_600_000
const HOURS = 24
const MOST_READ = 200_000
/** How long one count serves everybody who looks. */
const KEPT: EpochMs = 60_000

interface Hour {
  readonly from: EpochMs
  opened: number
  refused: number
  readonly latencies: number[]
}

const percentile = (values: readonly number[], share: number): number | undefined => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** Launches that waited for a person say nothing of how fast we are. */
const waits = ({ what }: TrailEntry): boolean =>
  what === 'sign_on_asked' || what === 'patient_confirmed'

interface Counted {
  readonly hours: readonly Hour[]
  readonly reached: EpochMs
  readonly whole: boolean
}

async function countHours({ store }: ConsoleParts, now: EpochMs): Promise<Counted> {
  const from = Math.floor(now / HOUR) * HOUR - (HOURS - 1) * HOUR
  const hours = Array.from(
    { length: HOURS },
    (_, i): Hour => ({
      ...{ from: from + i * HOUR, opened: 0, refused: 0, latencies: [] },
    }),
  )
  const waited = new Set<string>()
  const took: { readonly hour: Hour; readonly launch: string; readonly ms: number }[] = []
  let reached = now
  for await (const { entries, from: start } of walkBack(store, {
    from,
    to: now + 1,
    most: MOST_READ,
  })) {
    reached = start
    for (const entry of entries) {
      const hour = hours[Math.floor((entry.at - from) / HOUR)]
      if (!hour) continue
      const { launch } = entry
      if (entry.what === 'session_opened') {
        hour.opened += 1
        const began = launch === undefined ? undefined : launchTime(launch)
        if (launch !== undefined && began !== undefined)
          took.push({ hour, launch, ms: Math.max(0, entry.at - began) })
      }
      if (entry.outcome === 'refused') hour.refused += 1
      if (launch !== undefined && waits(entry)) waited.add(launch)
    }
  }
  for (const { hour, launch, ms } of took) if (!waited.has(launch)) hour.latencies.push(ms)
  return { hours, reached, whole: reached <= from }
}

const WIDTH = 720
const HEIGHT = 160
const STEP = WIDTH / HOURS

export interface Bar {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly title: string
}

/** Bars from the bottom up; the highest fills the picture. */
function barsOf(hours: readonly Hour[], heightOf: (hour: Hour) => number, unit: string) {
  const top = Math.max(1, ...hours.map(heightOf))
  const bars = hours.map((hour, i): Bar => {
    const height = Math.round((heightOf(hour) / top) * (HEIGHT - 20))
    const title = `${inColumns(hour.from).slice(11, 16)}: ${heightOf(hour)} ${unit}`
    return { x: i * STEP + 3, y: HEIGHT - height, width: STEP - 6, height, title }
  })
  return { bars, top, width: WIDTH, height: HEIGHT }
}

const inMs = (value: number | undefined): string => (value === undefined ? '' : String(value))

const rowOf = ({ from, opened, refused, latencies }: Hour): readonly string[] => [
  inColumns(from).slice(0, 16),
  ...[
    String(opened),
    String(refused),
    inMs(percentile(latencies, 0.5)),
    inMs(percentile(latencies, 0.95)),
  ],
]

/** GET /console/charts. Many who look at once share one count. */
export function charts(parts: ConsoleParts): () => Promise<Shown> {
  let held: { readonly at: EpochMs; readonly counted: Promise<Counted> } | undefined
  const count = (): Promise<Counted> => {
    const now = parts.clock()
    if (held && Math.abs(now - held.at) < KEPT) return held.counted
    const mine = { at: now, counted: countHours(parts, now) }
    held = mine
    mine.counted.catch(() => {
      if (held === mine) held = undefined
    })
    return mine.counted
  }
  return async () => {
    const { hours, reached, whole } = await count()
    const median = (hour: Hour): number => percentile(hour.latencies, 0.5) ?? 0
    return {
      view: 'charts',
      title: 'The last 24 hours',
      data: {
        charts: [
          { name: 'Launches opened', ...barsOf(hours, ({ opened }) => opened, 'opened') },
          { name: 'Refusals', ...barsOf(hours, ({ refused }) => refused, 'refused') },
          { name: 'Median time to open, in milliseconds', ...barsOf(hours, median, 'ms') },
        ],
        first: inColumns(hours[0]?.from ?? 0).slice(0, 16),
        last: inColumns(hours.at(-1)?.from ?? 0).slice(0, 16),
        rows: [...hours].reverse().map(rowOf),
        reached: whole ? undefined : inColumns(reached),
      },
    }
  }
}
