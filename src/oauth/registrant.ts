/** By whose leave an app registers, and whose registration a call is about. */
import type { Request } from 'express'
import { VOUCHED } from '../core/client-metadata.js'
import { hashOf, isSecret } from '../core/ids.js'
import type { Json } from '../core/json.js'
import { CLAIM_MARGIN } from '../core/launch-claims.js'
import type { Records } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { seconds } from '../core/values.js'
import { peek } from '../keys/trusted.js'
import type { Claim, Put } from '../store/store.js'
import type { OAuthParts, Registering } from './parts.js'

export type Parts = OAuthParts & { readonly registration: Registering }

const LONGEST_STATEMENT = 16_384
/** Members that only we say. */
const OURS = ['client_id', 'client_secret', 'software_statement']

/** RFC 6750 §2.1. @throws Refusal registration_unproven */
export function bearerOf({ headersDistinct }: Request): string {
  const [header = '', ...others] = headersDistinct.authorization ?? []
  const [, token] = /^bearer ([\w-]{1,100})$/i.exec(header) ?? []
  if (token === undefined || others.length > 0)
    throw new Refusal('registration_unproven', 'no token')
  return token
}

/** Leave to register: its name for the trail, and what is tried to be spent of it, in order, until one is. */
export interface Leave {
  readonly by: string
  readonly uses: readonly { readonly claims: readonly Claim[]; readonly puts: readonly Put[] }[]
}

const FOREVER = Date.UTC(9999, 0)

/**
 * An initial access token, each of whose uses is a claim: however many apps register at once, it serves as many
 * as it was made for. How many are known to be gone only says where to begin.
 *
 * @throws Refusal registration_unproven
 * @see RFC 7591 §3
 */
export async function initialLeave(parts: Parts, req: Request): Promise<Leave> {
  const id = hashOf(bearerOf(req))
  const initial = await parts.store.get('initial', id)
  if (!initial) throw new Refusal('registration_unproven', 'unknown or expired')
  const { uses, used, until } = initial
  const claimed = Math.max(until, parts.clock()) + CLAIM_MARGIN
  const left = Array.from({ length: Math.max(0, uses - used) }, (_, i) => used + i + 1)
  return {
    by: `initial token ${id.slice(0, 8)}`,
    uses: left.map((use) => ({
      claims: [{ what: `initial/${id}/${use}`, until: Math.min(claimed, FOREVER) }],
      puts: [{ kind: 'initial', id, value: { ...initial, used: use }, until }],
    })),
  }
}

/**
 * The claims of a software statement, of an issuer whose word counts here.
 *
 * @throws Refusal statement_invalid, statement_unapproved
 * @see RFC 7591 §2.3, §3.1.1
 */
async function statementOf({ registration, trusted, issuer, clock, skew }: Parts, jwt: unknown) {
  if (typeof jwt !== 'string' || jwt.length > LONGEST_STATEMENT)
    throw new Refusal('statement_invalid', 'not a text, or too long')
  const said = peek(jwt, 'statement_invalid')
  const by = registration.issuers.find((each) => each.issuer === said.iss)
  if (!by) throw new Refusal('statement_unapproved', String(said.iss).slice(0, 100))
  const claims = await trusted.verify(jwt, by.keys, {
    algorithms: by.algorithms,
    types: ['jwt', 'software-statement+jwt', undefined],
    code: 'statement_invalid',
  })
  const now = seconds(clock())
  const must = (fine: boolean, what: string) => {
    if (!fine) throw new Refusal('statement_invalid', what)
  }
  const { exp, nbf, aud } = claims
  must(exp === undefined || (typeof exp === 'number' && exp + skew > now), 'exp')
  must(nbf === undefined || (typeof nbf === 'number' && nbf <= now + skew), 'nbf')
  must(aud === undefined || [aud].flat().includes(issuer), 'aud')
  return { by: by.issuer, claims }
}

/** What an app says of itself, as far as it counts. */
export interface Said {
  readonly metadata: Json
  /** The statement as it was sent, and whose it is. */
  readonly statement?: { readonly jwt: string; readonly by: string }
}

const without = (value: Json, names: readonly string[]): Json =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))

/**
 * Metadata with a statement's in its place. Where a statement is all that an app shows, what decides who gets codes
 * and who may be the app counts only as the statement says it: whoever else has the statement gains nothing by it.
 *
 * @throws Refusal statement_invalid, statement_unapproved
 * @see RFC 7591 §2.3 ("values conveyed in the software statement MUST take precedence")
 */
export async function saidBy(parts: Parts, body: Json): Promise<Said> {
  const { software_statement: jwt } = body
  const own = without(body, OURS)
  const alone = parts.registration.by === 'software-statement'
  if (jwt === undefined) {
    if (alone) throw new Refusal('statement_invalid', 'none sent')
    return { metadata: own }
  }
  const { by, claims } = await statementOf(parts, jwt)
  const vouched = without(claims, OURS)
  const metadata = { ...(alone ? without(own, VOUCHED) : own), ...vouched }
  return { metadata, statement: { jwt: String(jwt), by } }
}

/**
 * The registration that a call is about, proven by its own token. No such app, another's token and none at all
 * look the same.
 *
 * @throws Refusal registration_unproven
 * @see RFC 7592 §2, §3
 */
export async function ownRegistration(
  parts: Parts,
  req: Request,
  id: string,
): Promise<{ readonly token: string; readonly kept: Records['registration'] }> {
  const token = bearerOf(req)
  const kept = id.length > 64 ? undefined : await parts.store.get('registration', id)
  if (!kept || !isSecret(token, kept.token))
    throw new Refusal('registration_unproven', 'unknown, or another app’s')
  return { token, kept }
}
