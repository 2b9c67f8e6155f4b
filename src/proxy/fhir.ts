/**
 * /fhir: FHIR R4 of the patient in context.
 *
 * @throws Refusal of access/bearer.ts, core/call.ts, core/fhir.ts, core/fhir-release.ts and record/
 * @see SMART App Launch 2.2, "Scopes and Launch Context"; FHIR R4, "RESTful API"
 */
import type { RequestHandler } from 'express'
import { readCall } from '../core/call.js'
import { accessAt, requireAudience } from '../core/enforcement.js'
import { enforceFhir, type FhirPlan, readFhirCall } from '../core/fhir.js'
import { judgeReleased, releaseFhir } from '../core/fhir-release.js'
import { Refusal } from '../core/refusal.js'
import { learn } from '../http/journey.js'
import { createCapabilities } from './capabilities.js'
import { aboutAccess, recordAllowed } from './entry.js'
import { answerHandover, type HandoverParts, isHandover } from './handover.js'
import { addressOf, passValidators, requireFound } from './request.js'

const FHIR_JSON = 'application/fhir+json'

/** What the trail says of it: the type, the id or how many entries, never their content. */
function detailOf({ call }: FhirPlan, body: Readonly<Record<string, unknown>>) {
  const { interaction, type } = call
  return call.interaction === 'read'
    ? { interaction, type, id: call.id }
    : { interaction, type, entries: Array.isArray(body.entry) ? body.entry.length : 0 }
}

export function fhirProxy(parts: HandoverParts): RequestHandler {
  const { record, policies, trail, bearer, base, clock } = parts
  const capabilities = createCapabilities(parts)

  return async (req, res) => {
    // What the server can do is for anyone, from any page.
    const address = addressOf(req, base)
    if (/^\/metadata(?:\?|$)/.test(address)) {
      const call = readFhirCall(readCall(req.method, address, req.headers))
      if (call.interaction !== 'capabilities') throw new Refusal('interaction_refused', 'metadata')
      res.set('Access-Control-Allow-Origin', '*').type(FHIR_JSON)
      res.send(JSON.stringify(await capabilities()))
      return
    }

    // All else is for who holds a token, for its patient.
    const access = accessAt(await bearer(req, base), clock())
    learn(res, aboutAccess(access))
    if (isHandover(access, req.method, address)) {
      requireAudience(access, base)
      const body = await answerHandover(parts, access)
      res.set('Cache-Control', 'no-store').type(FHIR_JSON).send(JSON.stringify(body))
      return
    }
    const call = readFhirCall(readCall(req.method, address, req.headers))
    if (call.interaction === 'capabilities') throw new Refusal('interaction_refused', 'metadata')

    // Scope and today's policies, before the record hears of it …
    const plan = enforceFhir(access, call, policies, base)
    const answer = await record.forward({ upstream: 'fhir', method: 'GET', ...plan.forward })

    // … and whose it is, and what it now says of them, before the app does.
    requireFound(answer)
    const body = releaseFhir(plan, answer.body, {
      // Without one only the user's own Practitioner is let through, which is nobody's patient.
      patient: access.grant.context.patient ?? '',
      upstream: record.bases.fhir,
      base,
    })

    const anew = judgeReleased(access, policies, plan, body)

    // Durable first; then it leaves.
    const decisions = plan.decision === undefined ? [] : [plan.decision, ...anew]
    await recordAllowed(trail, access, decisions, detailOf(plan, body))
    passValidators(res, answer)
    res.set('Cache-Control', 'no-store').type(FHIR_JSON).send(JSON.stringify(body))
  }
}
