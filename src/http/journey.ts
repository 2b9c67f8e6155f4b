/** What one request has learned so far, for whoever answers it in the end (http/refusals.ts). */
import type { Response } from 'express'
import type { EventName, Happening } from '../core/audit.js'
import type { AppReturn } from '../core/authorization-request.js'

/** How an endpoint answers, refusals included. */
export type Answers = 'page' | 'json' | 'fhir'

export interface Journey {
  answers: Answers
  /** The kind of trail entry that a refusal here makes. */
  refused: EventName
  /** Facts for that entry. */
  about: Partial<Happening>
  /** Set once the redirect was proven: refusals then go to the app, and so do faults of ours. */
  redirect?: AppReturn
  /** A refusal would send the app on without its patient, and stops with a page. A fault of ours leads to nobody's plan. */
  refusesHere?: boolean
  /** Origins that may frame the page that answers. */
  frameAncestors: readonly string[]
  /** Plain reasons of a policy's refusal, for the page. */
  reasons?: readonly string[]
  /** The page's own script asks us for more. */
  connects?: boolean
  /** Further members of a refusal in JSON. */
  members?: Readonly<Record<string, unknown>>
  /** What else the page of a refusal says. */
  more?: Readonly<Record<string, unknown>>
}

const KEY = 'journey'
const NOTHING: Partial<Happening> = {}

export function startJourney(res: Response, answers: Answers, refused: EventName): void {
  res.locals[KEY] = { answers, refused, about: NOTHING, frameAncestors: [] } satisfies Journey
}

export const journeyOf = (res: Response): Journey => res.locals[KEY] as Journey

/** Adds facts to whatever entry a refusal of this request will make. */
export function learn(res: Response, about: Partial<Happening>): void {
  const journey = journeyOf(res)
  // Most learn once, and most of those are never asked.
  journey.about = journey.about === NOTHING ? about : { ...journey.about, ...about }
}
