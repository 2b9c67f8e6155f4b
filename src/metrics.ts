/** Figures for operators, in Prometheus' format. Counts only: nothing that names a person or a patient. */
import { createServer, type Server } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Trail, Work } from './audit/trail.js'
import type { Happening } from './core/audit.js'
import type { LimitName } from './core/rates.js'
import type { EpochMs } from './core/values.js'

export interface Metrics {
  /** The same trail, counted: what is on record and what the figures say cannot part. */
  counting(trail: Trail): Trail
  /** A request that a rate limit turned away: the trail holds only the first of many. */
  limited(limit: LimitName): void
  /** A count that the store did not take. */
  uncounted(): void
  /** A notice to an app that was given up, because too many others waited. */
  unnoticed(): void
  /** A decision that a draft in shadow was compared with. */
  shadowed(turn: string): void
  /** An answer in which these policies failed. */
  policyFailed(policies: readonly string[]): void
  /** Figures that are read when they are asked for. */
  watch(policies: { version(): number; heardAt(): EpochMs; mayIssue(): boolean }): void
  /** How many uses of emergency access nobody has reviewed yet. */
  reviewing(waiting: () => Promise<number>): void
  text(): Promise<string>
}

let ofProcess: Registry | undefined

/** One set, however many gateways a process runs: what measures event loop and garbage collection cannot be stopped. */
function figuresOfProcess(): Registry {
  if (ofProcess) return ofProcess
  ofProcess = new Registry()
  collectDefaultMetrics({ register: ofProcess })
  return ofProcess
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const around = figuresOfProcess()
  const happenings = new Counter({
    name: 'launch_gateway_happenings_total',
    help: 'Entries of the trail, by what happened, how it came out and the refusal code',
    labelNames: ['what', 'outcome', 'refusal'],
    registers: [registry],
  })
  const limited = new Counter({
    name: 'launch_gateway_limited_total',
    help: 'Requests that a rate limit turned away, by its name',
    labelNames: ['limit'],
    registers: [registry],
  })
  const uncounted = new Counter({
    name: 'launch_gateway_limits_uncounted_total',
    help: 'Counts of a rate limit that the store did not take, so that this node counted alone',
    registers: [registry],
  })
  const unnoticed = new Counter({
    name: 'launch_gateway_notices_dropped_total',
    help: 'Sign-outs of which apps were not told, because too many waited to be told',
    registers: [registry],
  })
  const shadowed = new Counter({
    name: 'launch_gateway_shadow_total',
    help: 'Decisions that a draft in shadow was compared with, by what it would turn',
    labelNames: ['turn'],
    registers: [registry],
  })
  const failed = new Counter({
    name: 'launch_gateway_policy_failures_total',
    help: 'Answers that were a refusal because a policy failed, by its id',
    labelNames: ['policy'],
    registers: [registry],
  })
  const count = (record: readonly Happening[]): void => {
    for (const { what, outcome, refusal = '' } of record) happenings.inc({ what, outcome, refusal })
  }
  return {
    counting: (trail) => ({
      ...trail,
      async record(...entries: Happening[]) {
        await trail.record(...entries)
        count(entries)
      },
      async commit(work: Work) {
        const won = await trail.commit(work)
        if (won) count(work.record ?? [])
        return won
      },
    }),
    limited: (limit) => limited.inc({ limit }),
    uncounted: () => uncounted.inc(),
    unnoticed: () => unnoticed.inc(),
    shadowed: (turn) => shadowed.inc({ turn }),
    policyFailed: (policies) => {
      for (const policy of policies) failed.inc({ policy })
    },
    watch(policies) {
      const gauge = (name: string, help: string, read: () => number) =>
        new Gauge({
          name: `launch_gateway_${name}`,
          help,
          registers: [registry],
          collect() {
            this.set(read())
          },
        })
      gauge('policy_version', 'The policy version in force on this node', policies.version)
      gauge('policy_heard_seconds', 'When the store last named the version, as a Unix time', () =>
        Math.floor(policies.heardAt() / 1000),
      )
      gauge('may_issue', '1 while this node may issue tokens', () => Number(policies.mayIssue()))
    },
    reviewing(waiting) {
      new Gauge({
        name: 'launch_gateway_emergencies_open',
        help: 'Uses of emergency access that nobody has reviewed yet, of all nodes together',
        registers: [registry],
        async collect() {
          // A store that does not answer must not take the other figures away: the last one known stands.
          const count = await waiting().catch(() => undefined)
          if (count !== undefined) this.set(count)
        },
      })
    },
    text: async () => `${await around.metrics()}\n${await registry.metrics()}`,
  }
}

/** GET /metrics, on an address that the public never reaches. */
export const createMetricsServer = (metrics: Metrics): Server =>
  createServer((req, res) => {
    if (req.url !== '/metrics' || req.method !== 'GET') {
      res.writeHead(404).end()
      return
    }
    metrics.text().then(
      (text) => res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text),
      () => res.writeHead(500).end(),
    )
  })
