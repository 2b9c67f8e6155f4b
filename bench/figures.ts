/** Numbers out of rounds, and the table that shows them. */

/** What one round of one row measured. */
export interface Round {
  readonly flows: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rssMegabytes: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** The value below which the share lies; of an even number, the upper of two. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** CPU-seconds for a thousand flows. */
export const cpuPerThousand = ({ cpuSeconds, flows }: Round): number => (cpuSeconds / flows) * 1000

/** Round by round, because what disturbs a machine disturbs neighbours alike. */
export const ratios = (ours: readonly Round[], theirs: readonly Round[]): readonly number[] =>
  ours.flatMap((round, index) => {
    const other = theirs[index]
    return other ? [cpuPerThousand(round) / cpuPerThousand(other)] : []
  })

const spread = (values: readonly number[], digits: number): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`

export interface Row {
  readonly name: string
  readonly rounds: readonly Round[]
  /** Of each peer, by its column. */
  readonly ratios: Readonly<Record<string, readonly number[]>>
}

/** Markdown: medians of the rounds, and in brackets the least and the most. */
export function table(rows: readonly Row[], peers: readonly string[]): string {
  const heads = [
    'server, id_token, store',
    'flows/s',
    'CPU-s per 1,000',
    ...peers.map((peer) => `CPU, of ${peer}`),
    'p50 ms',
    'p99 ms',
    'RSS MB',
  ]
  const lines = rows.map(({ name, rounds, ratios: of }) => [
    name,
    spread(
      rounds.map(({ flows, seconds }) => flows / seconds),
      0,
    ),
    spread(rounds.map(cpuPerThousand), 2),
    ...peers.map((peer) => (of[peer] ? spread(of[peer], 2) : '')),
    median(rounds.map(({ p50 }) => p50)).toFixed(1),
    median(rounds.map(({ p99 }) => p99)).toFixed(1),
    Math.max(...rounds.map(({ rssMegabytes }) => rssMegabytes)).toFixed(0),
  ])
  const rule = heads.map((_, index) => (index === 0 ? '---' : '---:'))
  return [heads, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
