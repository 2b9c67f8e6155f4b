/** GET /fhir/metadata: for anyone, from memory. */
import { narrowCapabilities } from '../core/capabilities.js'
import type { EpochMs } from '../core/values.js'
import type { ProxyParts } from './parts.js'

const KEPT_MS = 5 * 60_000

type Statement = ReturnType<typeof narrowCapabilities>

/**
 * The statement, asked of the record at most every five minutes however many apps ask us. While the
 * record is away the last one stands: an app that finds no conformance takes a server for an open one.
 *
 * @throws Refusal record_unavailable, upstream_invalid when the record never answered yet
 */
export function createCapabilities({
  record,
  base,
  clock,
}: Pick<ProxyParts, 'record' | 'base' | 'clock'>): () => Promise<Statement> {
  let kept: { readonly statement: Statement; readonly since: EpochMs } | undefined
  let asking: Promise<Statement> | undefined

  async function ask(): Promise<Statement> {
    const answer = await record.forward({ upstream: 'fhir', method: 'GET', path: '/metadata' })
    const statement = narrowCapabilities(answer.body, base)
    kept = { statement, since: clock() }
    return statement
  }

  return async () => {
    if (kept !== undefined && clock() - kept.since < KEPT_MS) return kept.statement
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking.catch((error: unknown) => {
      if (kept === undefined) throw error
      return kept.statement
    })
  }
}
