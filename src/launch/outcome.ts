import type { Request, RequestHandler } from 'express'
import { patientNamed } from '../core/audit.js'
import { writeJson } from '../core/json-text.js'
import { isStandalone } from '../core/launch.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { outcomeBundle } from '../core/outcome-bundle.js'
import { parameterFault, Refusal } from '../core/refusal.js'
import type { SignOn } from '../core/session.js'
import { after } from '../core/values.js'
import { learn } from '../http/journey.js'
import type { Put } from '../store/store.js'
import { assertingSystem } from './assertion.js'
import { namePuts } from './named.js'
import type { Arrival, LaunchParts } from './parts.js'

/** As long as an assertion may be in a form. */
const BEARER = /^Bearer ([\w.-]{1,8192})$/i
const KEY = /^[\x21-\x7e]{8,200}$/

/** @throws Refusal client_unproven */
function assertionIn(req: Request): string {
  const [, assertion] = BEARER.exec(req.get('authorization') ?? '') ?? []
  if (assertion === undefined) throw new Refusal('client_unproven', 'no assertion')
  return assertion
}

/** @throws Refusal parameter_invalid */
function keyIn(req: Request): string | undefined {
  const key = req.get('idempotency-key')
  if (key !== undefined && !KEY.test(key))
    throw parameterFault('parameter_invalid', 'Idempotency-Key')
  return key
}

/**
 * GET /launch/{id}/outcome: what was written in a launch, for the system that made it, when it is over. Once: what
 * leaves is on record before, and leaves again only for the same request, whose answer may have been lost.
 *
 * @throws Refusal client_unproven, assertion_replayed, parameter_invalid, outcome_absent, outcome_open, outcome_released
 */
export function outcome(parts: LaunchParts): RequestHandler<{ launch: string }> {
  return async (req, res) => {
    // To ask spends something: whoever only looks whether there is an answer gets none.
    if (req.method !== 'GET') throw new Refusal('not_found', req.method)
    const { system, claim } = await assertingSystem(parts, assertionIn(req))
    learn(res, { system: system.id })
    const key = keyIn(req)
    if (!(await parts.store.commit({ claims: [claim] })))
      throw new Refusal('assertion_replayed', 'assertion used before')

    const launched = await parts.outcomes.find(system, req.params.launch)
    learn(res, { launch: launched.launch })
    const released = await parts.outcomes.release(system, launched, key)
    const bundle = outcomeBundle({ ...launched, ...released, issuer: parts.issuer })
    res.type('application/fhir+json').send(writeJson(bundle))
  }
}

/**
 * What keeps, from when a launch opens, whose it was: with it alone can its system ask for the outcome. Of a sealed
 * launch nobody knows whose it was.
 * @param signOn under which it opens
 */
export function outcomePuts(
  { lifetimes }: LaunchParts,
  { launch, patient }: Pick<Arrival, 'launch' | 'patient'>,
  { outcome: rule }: LaunchSystem,
  signOn: SignOn,
): readonly Put[] {
  const until = after(signOn.until, lifetimes.outcome)
  const names = namePuts(launch, until)
  const untold = isStandalone(launch) || launch.rung === 'sealed' || rule === 'never'
  if (untold || patient === undefined) return names
  const { system, app, organization, purpose } = launch
  const { sensitive, supersededNumber: old } = patient
  const superseded = old === undefined ? {} : { supersededNumber: old }
  const value = {
    ...{ system, app, organization, purpose, signOn: signOn.id },
    ...{ patient: { ...patientNamed(patient), ...superseded, sensitive }, until },
  }
  return [{ kind: 'outcome', id: launch.id, value, until }, ...names]
}
