/**
 * What is asked of the policies and what they answer. Asking is pure data, so that the same question
 * can be kept, replayed and explained.
 */
import type { Purpose, Rung } from './context.js'
import type { Assurance, Role } from './roles.js'

export const ACTIONS = [
  'launch',
  'create',
  'read',
  'update',
  'delete',
  'search',
  'check-availability',
  'break-glass',
  'console-view',
  'console-simulate',
  'console-author',
  'console-approve',
  'console-guard',
  'console-operate',
  'console-review',
] as const
export type Action = (typeof ACTIONS)[number]

/**
 * What an action is on. `section` is a section of the plan (its openEHR template belongs to it),
 * `fhir` a FHIR resource type, `app` a registered app, `console` a part of the security team's console.
 */
export interface Resource {
  readonly type: 'app' | 'section' | 'fhir' | 'console'
  readonly id: string
}

/** Everything that a policy may look at, but for the action and the resource. Always complete. */
export interface Circumstances {
  readonly user: {
    readonly id: string
    readonly roles: readonly Role[]
    readonly activities: readonly string[]
    readonly activitySource: 'listed' | 'baseline'
    readonly assurance: Assurance
    readonly organization: {
      readonly odsCode: string
      readonly type: string
      readonly region: string
    }
  }
  readonly patient: { readonly sensitive: boolean; readonly deceased: boolean }
  readonly launch: { readonly rung: Rung; readonly system: string; readonly app: string }
  readonly purpose: Purpose
  /** Empty unless break-glass was used. */
  readonly emergencyReason: string
  /** Local time in the region, coarse, so that equal questions are equal: hour 0-23, weekday 1 (Monday) to 7. */
  readonly hour: number
  readonly weekday: number
}

export interface Question extends Circumstances {
  readonly action: Action
  readonly resource: Resource
}

/** What a policy may ask of the gateway beside its answer; each is carried out somewhere, or it could not stand here. */
export const OBLIGATIONS = ['mark-sensitive'] as const

/** A policy's answer. A refusal is an ordinary value with reasons: it is recorded, not thrown. */
export interface PolicyDecision {
  readonly effect: 'allow' | 'deny'
  /** Ids of the policies that decided; empty when nothing permitted. */
  readonly policies: readonly string[]
  /** Their `@reason` annotations: plain words for the clinician's page. */
  readonly reasons: readonly string[]
  /** Their `@obligation` annotations, for example `mark-sensitive`. */
  readonly obligations: readonly string[]
  /** The policy version that answered. */
  readonly version: number
  /** Messages of policies that errored. Any error makes the answer a refusal: Cedar skips such a policy, `forbid` included. */
  readonly errors: readonly string[]
}

/** The one engine, as its callers see it. Answers in memory, without IO. */
export interface Policies {
  /** The version that answers now. */
  version(): number
  /** True while the current version is known well enough to issue (a stale node stops issuing). */
  mayIssue(): boolean
  decide(question: Question): PolicyDecision
  /**
   * The lowest assurance above the user's own with which a refused question would be allowed, or
   * `undefined` when no assurance would help.
   */
  stepUp(question: Question): Assurance | undefined
}
