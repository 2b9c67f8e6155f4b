/** Apps that register themselves. Off unless the configuration says by whose leave. */
import type { Request, RequestHandler, Response } from 'express'
import { hasSecret, readMetadata, rowOf } from '../core/client-metadata.js'
import { hashOf, isSecret, newDynamicClientId, newSecret } from '../core/ids.js'
import { isObject, type Json } from '../core/json.js'
import type { Records } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { after, dayOf, seconds } from '../core/values.js'
import { learn } from '../http/journey.js'
import { jsonBodyOf } from '../http/json-body.js'
import type { Put } from '../store/store.js'
import {
  initialLeave,
  type Leave,
  ownRegistration,
  type Parts,
  type Said,
  saidBy,
} from './registrant.js'

const FOREVER = Date.UTC(9999, 0)
/** A change that was begun and not seen through may be begun again after this. */
const UNDER_WAY = 300

const readBody = jsonBodyOf(64 * 1024)

async function bodyOf(req: Request, res: Response): Promise<Json> {
  const body = await readBody(req, res)
  if (!isObject(body)) throw new Refusal('body_unreadable', 'not an object')
  return body
}

/** One app as it is to be registered, judged. */
interface Draft {
  readonly id: string
  readonly metadata: Json
  readonly row: Json
  /** Made just now, and said this once. */
  readonly secret: string | undefined
}

/**
 * Judges what an app says of itself by the rules of every other app.
 *
 * @param secretHash of the secret that it has already
 * @throws Refusal redirect_invalid, metadata_invalid
 */
async function draftOf(
  parts: Parts,
  id: string,
  { metadata, statement }: Said,
  secretHash?: string,
): Promise<Draft> {
  const rules = { ...parts.registration, certificates: parts.mtls !== undefined }
  const read = readMetadata(metadata, id, rules)
  const wanted = hasSecret(read)
  const secret = wanted && secretHash === undefined ? newSecret('sec', parts.random) : undefined
  const hash = secret === undefined ? secretHash : hashOf(secret)
  const said = rowOf(id, read, rules, wanted ? hash : undefined)
  // What it says again are its keys from now on, as good as new.
  const row = said.jwks === undefined ? said : { ...said, jwks_since: dayOf(parts.clock()) }
  const uri = row.jwks_uri
  if (typeof uri === 'string')
    await parts.registration.readKeys(uri).catch((cause: unknown) => {
      const told = 'jwks_uri: no key set could be read there'
      throw new Refusal('metadata_invalid', `${told}: ${(cause as Error).message}`, { cause, told })
    })
  const kept = statement ? { ...read, software_statement: statement.jwt } : read
  return { id, metadata: kept, row, secret }
}

/** RFC 7591 §3.2.1, RFC 7592 §3. The token is the one that was just made, or just shown: only its hash is kept. */
function information(
  { issuer }: Parts,
  { id, metadata, secret }: Omit<Draft, 'row'>,
  { since }: { readonly since: number },
  token: string,
) {
  return {
    client_id: id,
    client_id_issued_at: seconds(since),
    ...(secret === undefined ? {} : { client_secret: secret }),
    ...(hasSecret(metadata) ? { client_secret_expires_at: 0 } : {}),
    registration_access_token: token,
    registration_client_uri: `${issuer}/oauth/register/${id}`,
    ...metadata,
  }
}

const putsOf = ({ id, row }: Draft, kept: Records['registration']): readonly Put[] => [
  { kind: 'app', id, value: row, until: FOREVER },
  { kind: 'registration', id, value: kept, until: FOREVER },
]

/** Takes the first use that nobody else took. @throws Refusal registration_unproven when there is none */
async function spend(parts: Parts, { by, uses }: Leave, draft: Draft, token: string) {
  const since = parts.clock()
  const kept = { token: hashOf(token), generation: 1, since, by, metadata: draft.metadata }
  const record = [
    {
      what: 'configuration_changed',
      outcome: 'success',
      app: draft.id,
      detail: { added: 'app', by, scope: String(draft.metadata.scope) },
    },
  ] as const
  for (const { claims, puts } of uses) {
    const done = await parts.trail.commit({
      claims,
      record,
      puts: [...putsOf(draft, kept), ...puts],
    })
    if (done) return kept
  }
  throw new Refusal('registration_unproven', `${by}: used up`)
}

/**
 * POST /oauth/register. Whoever registers is launched by nobody until an operator names the app in a system's `apps`.
 *
 * @throws Refusal registration_unproven, registration_full, statement_*, redirect_invalid, metadata_invalid,
 *   body_unreadable, body_too_large
 * @see RFC 7591 §3
 */
export function register(parts: Parts): RequestHandler {
  return async (req, res) => {
    const { registration, store, random } = parts
    // Whoever may not register is not read.
    const initial = registration.by === 'initial-token' ? await initialLeave(parts, req) : undefined
    if (initial) learn(res, { detail: { by: initial.by } })
    if (initial?.uses.length === 0) throw new Refusal('registration_unproven', 'used up')
    const said = await saidBy(parts, await bodyOf(req, res))
    const leave = initial ?? { by: String(said.statement?.by), uses: [{ claims: [], puts: [] }] }
    learn(res, { detail: { by: leave.by } })
    if ((await store.list('app')).length >= registration.most)
      throw new Refusal('registration_full', `${registration.most} apps`)

    const draft = await draftOf(parts, newDynamicClientId(random), said)
    const token = newSecret('reg', random)
    const kept = await spend(parts, leave, draft, token)
    res.status(201).json(information(parts, draft, kept, token))
  }
}

type OfOne = RequestHandler<{ client: string }>

/** GET /oauth/register/{client_id} @throws Refusal registration_unproven @see RFC 7592 §2.1 */
export function readRegistration(parts: Parts): OfOne {
  return async (req, res) => {
    const { client: id } = req.params
    const { token, kept } = await ownRegistration(parts, req, id)
    res.json(information(parts, { id, metadata: kept.metadata, secret: undefined }, kept, token))
  }
}

/** RFC 7592 §2.2: what a request must not, and what it must say. */
const NOT_SENT = [
  ...['registration_access_token', 'registration_client_uri'],
  ...['client_secret_expires_at', 'client_id_issued_at'],
]

function checkUpdate(body: Json, id: string, secretHash: unknown): void {
  const { client_id, client_secret } = body
  const refuse = (told: string): never => {
    throw new Refusal('metadata_invalid', told, { told })
  }
  for (const name of NOT_SENT) if (Object.hasOwn(body, name)) refuse(`${name}: is not sent`)
  if (client_id !== id) refuse('client_id: expected the app’s own')
  if (client_secret === undefined) return
  const same = typeof client_secret === 'string' && typeof secretHash === 'string'
  if (!same || !isSecret(client_secret, secretHash))
    refuse('client_secret: expected the one that was issued')
}

/** One of those who change a registration at once changes it. */
const turn = (parts: Parts, id: string, { generation }: Records['registration']) => ({
  what: `registration/${id}/${generation}`,
  until: after(parts.clock(), UNDER_WAY),
})

/**
 * PUT /oauth/register/{client_id}: all of the metadata anew.
 *
 * @throws Refusal registration_unproven, registration_under_way and what register refuses
 * @see RFC 7592 §2.2
 */
export function changeRegistration(parts: Parts): OfOne {
  return async (req, res) => {
    const { client: id } = req.params
    const { token, kept } = await ownRegistration(parts, req, id)
    learn(res, { app: id })
    const body = await bodyOf(req, res)
    const before = (await parts.store.get('app', id))?.secret_hash
    checkUpdate(body, id, before)
    const secretHash = typeof before === 'string' ? before : undefined
    const draft = await draftOf(parts, id, await saidBy(parts, body), secretHash)
    const { metadata } = draft
    const next = { ...kept, generation: kept.generation + 1, metadata }
    const changed = await parts.trail.commit({
      claims: [turn(parts, id, kept)],
      record: [
        {
          what: 'configuration_changed',
          outcome: 'success',
          app: id,
          detail: { changed: 'app', by: 'its own token', scope: String(metadata.scope) },
        },
      ],
      puts: putsOf(draft, next),
    })
    if (!changed) throw new Refusal('registration_under_way', 'another change')
    res.json(information(parts, draft, next, token))
  }
}

/**
 * DELETE /oauth/register/{client_id}: the app is gone, and with it all that it was granted.
 *
 * @throws Refusal registration_unproven, registration_under_way
 * @see RFC 7592 §2.3
 */
export function endRegistration(parts: Parts): OfOne {
  return async (req, res) => {
    const { client: id } = req.params
    const { kept } = await ownRegistration(parts, req, id)
    learn(res, { app: id })
    const ending = parts.sessions.appEnding(id, 'the app took its registration back')
    // A narrowing: it holds first, and is told after.
    const done = await parts.store.commit({
      claims: [turn(parts, id, kept)],
      puts: ending.puts,
      drops: [
        { kind: 'registration', id },
        { kind: 'app', id },
      ],
    })
    if (!done) throw new Refusal('registration_under_way', 'another change')
    await parts.trail.record(
      {
        what: 'configuration_changed',
        outcome: 'success',
        app: id,
        detail: { removed: 'app', by: 'its own token' },
      },
      ...ending.record,
    )
    res.status(204).end()
  }
}
