/**
 * /fhir: FHIR R4 of the patient in context.
 *
 * @throws Refusal of access/bearer.ts, core/call.ts, core/fhir.ts, the handlers beside this file and record/
 * @see SMART App Launch 2.2, "Scopes and Launch Context"; FHIR R4, "RESTful API"
 */
import type { Request, RequestHandler, Response } from 'express'
import type { Access } from '../core/access.js'
import { type Call, readCall, withForm } from '../core/call.js'
import { accessAt, requireAudience } from '../core/enforcement.js'
import {
  type FhirDataCall,
  type FhirReadCall,
  type FhirWriteCall,
  readFhirCall,
} from '../core/fhir.js'
import { writeJson } from '../core/json-text.js'
import { Refusal } from '../core/refusal.js'
import { sendText } from '../http/answer.js'
import { learn } from '../http/journey.js'
import { createCapabilities } from './capabilities.js'
import { aboutAccess } from './entry.js'
import { answerBundle } from './fhir-bundle.js'
import { answerWrite } from './fhir-commit.js'
import { type FhirAnswer, type FhirAsked, READS } from './fhir-parts.js'
import { answerRead } from './fhir-read.js'
import { answerHandover, type HandoverParts, isHandover } from './handover.js'
import { type ProxyParts, partsPerTenant, type Served } from './parts.js'
import { addressUnder, fhirBody, formBody, patchBody } from './request.js'
import { type Meanwhile, standsFrom, toldIn } from './standing.js'

const FHIR_JSON = 'application/fhir+json; charset=utf-8'

/** How each interaction's body is read; of those without a row none is. */
const BODIES: Partial<Record<FhirDataCall['interaction'], typeof fhirBody>> = {
  create: fhirBody,
  update: fhirBody,
  patch: patchBody,
}

/** A read; or a write, which must still come from where the chart is. */
async function perform(parts: ProxyParts, access: Access, asked: FhirAsked): Promise<FhirAnswer> {
  if (READS.has(asked.call.interaction))
    return await toldIn(asked.stands, answerRead(parts, access, asked as FhirAsked<FhirReadCall>))
  await asked.mayWrite()
  return answerWrite(parts, access, asked as FhirAsked<FhirWriteCall>)
}

/** The call, with the parameters of a search by form among its own. */
async function callOf(req: Request, res: Response, address: string): Promise<Call> {
  const call = readCall(req.method, address, req.headers)
  const byForm = call.method === 'POST' && call.path.endsWith('/_search')
  return byForm ? withForm(call, await formBody(req, res)) : call
}

/** What stands beside a call. @throws Refusal body_unreadable, body_too_large, parameter_invalid */
async function askedOf(
  req: Request,
  res: Response,
  call: FhirDataCall,
  meanwhile: Meanwhile,
): Promise<FhirAsked> {
  const body = await BODIES[call.interaction]?.(req, res)
  const ifMatch = req.get('if-match')
  const ifNoneExist = req.get('if-none-exist')
  if (ifNoneExist !== undefined && call.interaction !== 'create')
    throw new Refusal('parameter_invalid', 'If-None-Exist')
  const { stands, mayWrite } = meanwhile
  const minimal = /\breturn=minimal\b/.test(req.get('prefer') ?? '')
  const asked = { call, stands, mayWrite, minimal }
  if (body === undefined && ifMatch === undefined && ifNoneExist === undefined) return asked
  return {
    ...asked,
    ...(body === undefined ? {} : { body }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneExist === undefined ? {} : { ifNoneExist }),
  }
}

function send(res: Response, { status, body, etag, lastModified, location }: FhirAnswer): void {
  if (etag !== undefined) res.set('ETag', etag)
  if (lastModified !== undefined) res.set('Last-Modified', lastModified)
  if (location !== undefined) res.set('Location', location)
  res.status(status).setHeader('Cache-Control', 'no-store')
  if (body === undefined) res.end()
  else sendText(res, FHIR_JSON, writeJson(body))
}

export function fhirProxy(served: Served<HandoverParts>): RequestHandler {
  const { bearer, base, clock } = served
  const addressOf = addressUnder(base)
  const partsFor = partsPerTenant(served)
  const capabilities = createCapabilities({ record: served.records.of(undefined), base, clock })

  return async (req, res) => {
    // What the server can do is for anyone, from any page.
    const address = addressOf(req)
    if (/^\/metadata(?:\?|$)/.test(address)) {
      const call = readFhirCall(readCall(req.method, address, req.headers))
      if (call.interaction !== 'capabilities') throw new Refusal('interaction_refused', 'metadata')
      res.set('Access-Control-Allow-Origin', '*')
      sendText(res, FHIR_JSON, writeJson(await capabilities()))
      return
    }

    // All else is for who holds a token, for its patient.
    const { access: letIn, still } = await bearer(req, base)
    const stands = standsFrom(clock, still)
    const access = accessAt(letIn, clock())
    learn(res, aboutAccess(access))
    requireAudience(access, base)
    const parts = partsFor(access)
    if (isHandover(access, req.method, address)) {
      send(res, { status: 200, body: await answerHandover(parts, access, stands) })
      return
    }
    const call = readFhirCall(await callOf(req, res, address))
    if (call.interaction === 'capabilities') throw new Refusal('interaction_refused', 'metadata')
    const meanwhile = { stands, mayWrite: () => parts.inContext(access, req) }
    if (call.interaction === 'bundle') {
      send(res, await answerBundle(parts, access, await fhirBody(req, res), perform, meanwhile))
      return
    }
    send(res, await perform(parts, access, await askedOf(req, res, call, meanwhile)))
  }
}
