/** Whether a write still comes from where the chart is. */
import type { Request } from 'express'
import type { Registry } from '../access/registry.js'
import type { Access } from '../core/access.js'
import { CONTEXT_HEADER, isSuperseded, requireContextId } from '../core/context-id.js'
import { chartOf } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import type { Store } from '../store/store.js'

/**
 * Lets a write on that names its own context while its chart has not left it. Asked of the store at each write, so
 * that a launch that opens on one node closes earlier ones on all of them.
 *
 * @throws Refusal context_missing, context_other, context_superseded
 */
export type InContext = (access: Access, req: Pick<Request, 'get'>) => Promise<void>

export function createInContext({
  store,
  registry,
}: {
  readonly store: Pick<Store, 'get'>
  readonly registry: Pick<Registry, 'system'>
}): InContext {
  return async (access, req) => {
    const { launch, signOn, nhsNumber, circumstances } = access.grant
    requireContextId(launch, req.get(CONTEXT_HEADER))
    const { system } = circumstances.launch
    // A system that is not registered any more has no rule that would let an earlier launch stand.
    const rule = (await registry.system(system))?.supersede ?? 'always'
    if (rule === 'never') return
    const chart = await store.get('chart', chartOf(signOn, system))
    const mine = { launch, ...(nhsNumber === undefined ? {} : { patient: nhsNumber }) }
    if (isSuperseded(rule, chart, mine))
      throw new Refusal('context_superseded', `by ${chart?.launch}, rule ${rule}`)
  }
}
