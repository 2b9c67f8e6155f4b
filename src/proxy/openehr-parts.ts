import type { Request, Response } from 'express'
import type { Access } from '../core/access.js'
import { rewriteBase } from '../core/enforcement.js'
import type { OpenEhrCall, PlanSection } from '../core/openehr.js'
import type { ProxyParts } from './parts.js'

export interface OpenEhrParts extends ProxyParts {
  /** Sections of the plan and their templates. */
  readonly plan: readonly PlanSection[]
}

/** One call that has been let in as far as its scopes and its EHR go. */
export interface OpenEhrCallIn {
  readonly req: Request
  readonly res: Response
  readonly access: Access
  readonly call: OpenEhrCall
  /** The token's own. */
  readonly ehrId: string
  /** Empty for a create and a query. */
  readonly uid: string
}

/** An answer's body with our addresses in it. */
export const rewritten = ({ record, base }: OpenEhrParts, body: unknown): unknown =>
  rewriteBase(body, record.bases.openehr, base)
