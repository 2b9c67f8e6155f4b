/**
 * A small stand-in for the gateway, and for the app that it launches, so that the desktop can be tested
 * by itself. It judges launch tokens by the gateway's own pure rules and keeps a trail in memory.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Request, type Response } from 'express'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Happening, TrailEntry } from '../../src/core/audit.js'
import { type LaunchId, launchOfSecret, newLaunchId, newLaunchSecret } from '../../src/core/ids.js'
import { readLaunch, verifyLaunch } from '../../src/core/launch-claims.js'
import type { LaunchSystem } from '../../src/core/launch-system.js'
import { REFUSALS, Refusal } from '../../src/core/refusal.js'
import type { Clock, Random } from '../../src/core/values.js'
import { openTrustedKeys } from '../../src/keys/trusted.js'

export interface Listening {
  readonly server: Server
  readonly origin: string
}

/** On a free port of 127.0.0.1; the app is made once the origin is known. */
export async function listen(make: (origin: string) => RequestListener): Promise<Listening> {
  let app: RequestListener = () => undefined
  const server = createServer((req, res) => app(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  app = make(origin)
  return { server, origin }
}

export const close = ({ server }: Listening): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  })

export interface PretendParts {
  readonly origin: string
  readonly app: string
  readonly systems: () => readonly LaunchSystem[]
  readonly clock: Clock
  readonly random: Random
  /** NHS number → birth date: what the shared record holds. */
  readonly record: ReadonlyMap<string, string>
}

export const APP_PAGE = `<!doctype html><html lang="en"><title>App</title><h1>Shared care plan</h1><p id="out">Opening</p><script type="module">
const q = new URLSearchParams(location.search), iss = q.get('iss') ?? sessionStorage.iss
if (q.get('launch')) { sessionStorage.iss = iss; location.replace(new URL('/oauth/authorize?' + new URLSearchParams({ response_type: 'code', client_id: 'care-plan', launch: q.get('launch'), state: 's', code_challenge_method: 'S256', scope: 'launch openid' }), iss)) }
else { const r = await fetch(new URL('/oauth/token', iss), { method: 'POST', body: new URLSearchParams({ grant_type: 'authorization_code', code: q.get('code'), code_verifier: 'v'.repeat(43) }) })
const t = await r.json(); await fetch(new URL('/fhir/Patient/' + t.patient, iss), { headers: { authorization: 'Bearer ' + t.access_token } })
document.getElementById('out').textContent = 'Plan of patient ' + t.patient }
</script></html>`

export async function pretendGateway(parts: PretendParts) {
  const { origin, clock, random } = parts
  const get = () => Promise.reject(new Error('nothing is fetched'))
  const trusted = openTrustedKeys({ clock, outbound: { get } })
  const trail: TrailEntry[] = []
  const spent = new Set<string>()
  const patients = new Map<LaunchId, string>()
  const keys = await generateKeyPair('ES256', { extractable: true })
  const seal = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  const add = (happening: Happening): void => {
    const seq = trail.length + 1
    trail.push({ ...happening, writer: 'w1', seq, at: clock(), prev: 'p', hash: 'h' })
  }

  async function receive(req: Request): Promise<LaunchId> {
    const body = (req.body ?? {}) as Record<string, unknown>
    if (Array.isArray(body.launch_token)) throw new Refusal('parameter_repeated', 'launch_token')
    if (typeof body.launch_token !== 'string') throw new Refusal('launch_clear_text', 'no token')
    const said = decodeJwt(body.launch_token)
    const system = parts.systems().find(({ issuer }) => issuer === said.iss)
    if (!system?.keys) throw new Refusal('system_unknown', 'iss')
    const { algorithms, keys: source } = system
    const check = { algorithms, types: ['launch+jwt'], code: 'signature_invalid' } as const
    const claims = await trusted.verify(body.launch_token, source, check)
    const jti = String(claims.jti)
    const request = readLaunch(claims, system)
    const id = newLaunchId(clock(), random)
    const { iat = 0, exp = 0, aud } = claims
    const proof = { id, audience: aud, issuer: origin, iat, exp, jti }
    verifyLaunch(request, system, proof, clock(), 30)
    if (spent.has(jti)) throw new Refusal('launch_replayed', 'jti')
    const born = parts.record.get(request.patient.nhsNumber)
    if (born === undefined) throw new Refusal('patient_unknown', 'no match')
    if (born !== request.patient.birthDate) throw new Refusal('patient_mismatch', 'birth date')
    spent.add(jti)
    patients.set(id, request.patient.nhsNumber)
    const about = { launch: id, outcome: 'success', system: system.id } as const
    add({ ...about, what: 'launch_verified', detail: { jti, rung: system.rung } })
    add({ ...about, what: 'signed_on', user: { id: request.user.localId, roles: ['gp'] } })
    const policy = { version: 1, effect: 'allow', policies: ['launch.clinicians'] } as const
    add({ ...about, what: 'decision_made', policy })
    add({ ...about, what: 'session_opened' })
    return id
  }

  const refused = (req: Request, error: unknown): { status: number; body: object } => {
    if (!(error instanceof Refusal)) throw error
    const { wire, status, text } = REFUSALS[error.code]
    const reference = `ref_${trail.length}` as const
    const token = (req.body as { launch_token?: unknown } | undefined)?.launch_token
    const jti = typeof token === 'string' ? decodeJwt(token).jti : undefined
    const detail = jti === undefined ? {} : { detail: { jti } }
    const said = { what: 'launch_refused', outcome: 'refused', refusal: error.code } as const
    add({ ...said, reference, ...detail })
    return { status, body: { error: wire, error_description: text, reference } }
  }
  const page = (req: Request, res: Response, error: unknown): void => {
    const { status, body } = refused(req, error)
    const { error_description, reference } = body as Record<string, string>
    res.status(status).type('html')
    res.send(`<p>${error_description}</p><code data-reference>${reference}</code>`)
  }
  const toApp = (id: LaunchId, res: Response): void => {
    const launch = newLaunchSecret('hdl', id, random)
    res.redirect(303, `${parts.app}/launch.html?${new URLSearchParams({ iss: origin, launch })}`)
  }

  const app = express()
  app.use(express.urlencoded({ extended: false }))
  app.use((_req, res, next) => {
    res.set({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': 'authorization' })
    next()
  })
  app.get('/oauth/jwks', async (_req, res) => {
    const published = await exportJWK(seal.publicKey)
    res.json({ keys: [{ ...published, use: 'enc', alg: 'ECDH-ES', kid: 'seal-1' }] })
  })
  app.post('/launch/push', async (req, res) => {
    try {
      const id = await receive(req)
      const launch_uri = `${origin}/launch/${newLaunchSecret('lnk', id, random)}`
      res.status(201).json({ launch_uri, expires_in: 60 })
    } catch (error) {
      const { status, body } = refused(req, error)
      res.status(status).json(body)
    }
  })
  app.post('/launch', async (req, res) => {
    try {
      toApp(await receive(req), res)
    } catch (error) {
      page(req, res, error)
    }
  })
  app.get('/launch/:link', (req, res) => {
    const id = launchOfSecret('lnk', req.params.link)
    if (id && !spent.has(req.params.link)) {
      spent.add(req.params.link)
      toApp(id, res)
    } else page(req, res, new Refusal('link_invalid', 'link'))
  })
  app.get('/oauth/authorize', (req, res) => {
    const id = launchOfSecret('hdl', String(req.query.launch))
    if (!id || !patients.has(id)) {
      const refusal = 'handle_invalid'
      add({
        what: 'authorization_refused',
        outcome: 'refused',
        ...(id ? { launch: id } : {}),
        refusal,
      })
      res.status(400).type('html').send('<code data-reference>ref_x</code>')
      return
    }
    add({ what: 'authorization_asked', outcome: 'success', launch: id, app: 'care-plan' })
    add({ what: 'grant_opened', outcome: 'success', launch: id })
    const code = newLaunchSecret('cod', id, random)
    res.redirect(303, `${parts.app}/?${new URLSearchParams({ code, state: 's', iss: origin })}`)
  })
  app.post('/oauth/token', async (req, res) => {
    const launch = launchOfSecret('cod', String(req.body.code)) as LaunchId
    const signed = new SignJWT({ iss: origin, launch, scope: 'patient/Patient.r' })
    const access_token = await signed.setProtectedHeader({ alg: 'ES256' }).sign(keys.privateKey)
    add({ what: 'token_issued', outcome: 'success', launch })
    const refresh_token = newLaunchSecret('rft', launch, random)
    res.json({ access_token, token_type: 'Bearer', expires_in: 600, refresh_token, patient: 'p-1' })
  })
  app.get('/fhir/Patient/:id', (req, res) => {
    const { launch } = decodeJwt(String(req.get('authorization')).slice(7)) as { launch: LaunchId }
    add({ what: 'access_allowed', outcome: 'success', launch })
    res.json({ resourceType: 'Patient', name: [{ text: 'SECRET CLINICAL NAME' }] })
  })
  return { app, trail, seal }
}
