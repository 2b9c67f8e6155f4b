/** The one place where a refusal, or a bug, becomes an answer: page, JSON, OperationOutcome or redirect. */
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Logger } from 'pino'
import type { Happening } from '../core/audit.js'
import { newId, type Reference } from '../core/ids.js'
import { TooMany } from '../core/rates.js'
import { REFUSALS, Refusal, type RefusalRow } from '../core/refusal.js'
import type { Random } from '../core/values.js'
import { StoreFailure, type StoreFailureCode } from '../store/failure.js'
import { challenge } from './challenge.js'
import { type Journey, journeyOf } from './journey.js'
import type { Pages } from './pages.js'
import { answerApp } from './redirect.js'

interface Parts {
  readonly issuer: string
  readonly random: Random
  readonly pages: Pages
  readonly log: Logger
  /** Who may frame a refusal whose launch system is not known: it shows nothing of a patient. */
  readonly claimedAncestors: (req: Request) => Promise<readonly string[]>
  /** The refusal itself, or the rate limit that it was one too many for. */
  readonly limits: {
    refused(req: Request, about: Partial<Happening>, refusal: Refusal): Promise<Refusal>
  }
  readonly trail: { record(...happenings: readonly Happening[]): Promise<void> }
}

/** What Express's own parsers throw, in our words. */
function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  const { type, status } = (error ?? {}) as { type?: string; status?: number }
  if (status === 413 || type === 'entity.too.large') return new Refusal('body_too_large', 'body')
  if (status !== undefined && status >= 400 && status < 500) {
    return new Refusal('body_unreadable', type ?? 'parser')
  }
  return undefined
}

/** When to try again stands in the text as well: a page's reader sees no header. */
function textOf(refusal: Refusal): string {
  if (refusal instanceof TooMany) return refusal.text
  const { text } = REFUSALS[refusal.code]
  return refusal.told === undefined ? text : `${text.slice(0, -1)}: ${refusal.told}.`
}

/** The console shows refusals in its own frame of words, and stands in nobody's. */
const isConsole = ({ refused }: Journey): boolean => refused === 'console_refused'
const viewOf = (journey: Journey): string => (isConsole(journey) ? 'console/refusal' : 'refusal')

const operationOutcome = (code: string, diagnostics: string) => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code, diagnostics }],
})

/** FHIR's words for our statuses (issue-type). */
const ISSUE_TYPES: Readonly<Record<number, string>> = {
  401: 'login',
  403: 'forbidden',
  404: 'not-found',
  412: 'conflict',
  413: 'too-long',
  429: 'throttled',
  503: 'transient',
}

/** A refusal as the outcome of one entry of a bundle, whose answer as a whole is none. @see FHIR R4, "batch/transaction" */
export function outcomeOf(refusal: Refusal) {
  const row: RefusalRow = REFUSALS[refusal.code]
  const status = row.atResource ?? row.status
  const outcome = operationOutcome(ISSUE_TYPES[status] ?? 'processing', textOf(refusal))
  return { status, outcome }
}

function answer(
  parts: Parts,
  { req, res }: { readonly req: Request; readonly res: Response },
  journey: Journey,
  refusal: Refusal,
  reference: Reference,
): void {
  const row: RefusalRow = REFUSALS[refusal.code]
  const { wire } = row
  const text = textOf(refusal)
  const atResource = journey.refused === 'access_refused'
  const status = (atResource ? row.atResource : undefined) ?? row.status
  if (journey.redirect && !journey.refusesHere) {
    const error_description = `${text} Reference: ${reference}`
    answerApp(parts, res, journey.redirect, { error: wire, error_description })
    return
  }
  if (refusal instanceof TooMany) res.set('Retry-After', String(refusal.wait))
  if (journey.answers === 'page') {
    const { refused, reasons } = journey
    const signOut = refused === 'sign_out_refused'
    parts.pages.send(res, status, viewOf(journey), {
      ...{ text, reference, reasons, signOut, code: refusal.code, ...journey.more },
    })
    return
  }
  const challenged = challenge(req, { code: refusal.code, wire, atResource }, parts.issuer)
  if (challenged) res.set('WWW-Authenticate', challenged)
  const body =
    journey.answers === 'fhir'
      ? operationOutcome(ISSUE_TYPES[status] ?? 'processing', `${text} Reference: ${reference}`)
      : { error: wire, error_description: text, reference, ...journey.members }
  res.status(status).type(journey.answers === 'fhir' ? 'application/fhir+json' : 'json')
  res.send(JSON.stringify(body))
}

const OUR_FAULT =
  'Something went wrong on our side. Try again; if it happens again, give support this reference.'

/** Of a store that did nothing: the same request may do in a moment. */
const NOT_NOW: readonly StoreFailureCode[] = ['closed', 'overloaded', 'unavailable']

/** Without a word of what went wrong. @see RFC 6749 §4.1.2.1 (no status of ours reaches an app through a browser) */
function answerFault(
  parts: Parts,
  res: Response,
  journey: Journey,
  fault: unknown,
  reference: Reference,
): void {
  const text = OUR_FAULT
  if (journey.redirect) {
    const notNow = fault instanceof StoreFailure && NOT_NOW.includes(fault.code)
    const error = notNow ? 'temporarily_unavailable' : 'server_error'
    const error_description = `${text} Reference: ${reference}`
    answerApp(parts, res, journey.redirect, { error, error_description })
  } else if (journey.answers === 'page') {
    parts.pages.send(res, 500, viewOf(journey), { text, reference, code: 'unexpected' })
  } else if (journey.answers === 'fhir') {
    const outcome = operationOutcome('exception', `${text} Reference: ${reference}`)
    res.status(500).type('application/fhir+json').send(JSON.stringify(outcome))
  } else res.status(500).json({ error: 'server_error', error_description: text, reference })
}

/** Even if this fails, the answer is still the refusal, because a refusal is a narrowing. */
async function enter(
  parts: Parts,
  journey: Journey,
  refusal: Refusal | undefined,
  reference: Reference,
): Promise<void> {
  await parts.trail
    .record({
      what: journey.refused,
      outcome: refusal ? 'refused' : 'failure',
      ...journey.about,
      ...(refusal?.policy ? { policy: refusal.policy } : {}),
      reference,
      refusal: refusal?.code ?? 'unexpected',
      detail: {
        ...{ ...journey.about.detail, ...refusal?.facts },
        why: refusal?.detail ?? 'unexpected error',
      },
    })
    .catch((failure: unknown) =>
      parts.log.error({ reference, err: failure }, 'the trail refused an entry'),
    )
}

/**
 * Answers what an endpoint threw. A refusal is recorded with what the request had learned. Those that a
 * rate limit turns away share the entry of the first of them, and its reference: nobody fills the trail.
 * Anything else is a fault of ours: 500, or `server_error` at the app, with a reference.
 */
export function refusals(parts: Parts): ErrorRequestHandler {
  return async (error: unknown, req: Request, res: Response, next) => {
    const journey = journeyOf(res)
    const refused = asRefusal(error)
    const refusal = refused && (await parts.limits.refused(req, journey.about, refused))
    const told = refusal instanceof TooMany ? refusal.window.reference : undefined
    const reference = told ?? newId('ref', parts.random)
    if (refusal instanceof TooMany) refusal.window.reference = reference
    if (!refusal)
      parts.log.error({ reference, err: error, path: req.route?.path }, 'unexpected error')
    if (told === undefined) await enter(parts, journey, refusal, reference)
    if (res.headersSent) return next(error)
    const mayBeFramed = journey.answers === 'page' && !isConsole(journey)
    if (mayBeFramed && journey.frameAncestors.length === 0) {
      journey.frameAncestors = await parts.claimedAncestors(req).catch(() => [])
    }
    res.set('X-Request-Id', reference)
    if (refusal) answer(parts, { req, res }, journey, refusal, reference)
    else answerFault(parts, res, journey, error, reference)
  }
}
