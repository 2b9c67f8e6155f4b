/** Composition root: parts in, Express app out. The whole surface of the gateway is the list in here. */
import express, { type Express, type RequestHandler } from 'express'
import type { Logger } from 'pino'
import { openAccessTokens } from './access/access-token.js'
import type { Bearer } from './access/bearer.js'
import { bearerOf, createCallers } from './access/bearer.js'
import {
  aliasOf,
  type CertificateOf,
  createCertificates,
  type MutualTls,
} from './access/certificate.js'
import { createClientAuthentication } from './access/client.js'
import { createDpop, type Dpop } from './access/dpop.js'
import { createNonces } from './access/dpop-nonces.js'
import type { RateLimits } from './access/rates.js'
import type { Registry } from './access/registry.js'
import type { Trail } from './audit/trail.js'
import { apiRoutes } from './console/api/routes.js'
import type { ConsoleParts } from './console/parts.js'
import { consoleRoutes } from './console/routes.js'
import type { EventName } from './core/audit.js'
import type { Post } from './core/console.js'
import type { KnowUser } from './core/context.js'
import type { Policies } from './core/decision.js'
import { Refusal } from './core/refusal.js'
import type { Clock, Random, Seconds } from './core/values.js'
import type { Readers } from './http/cross-origin.js'
import { type Answers, startJourney } from './http/journey.js'
import { assets, createPages, type PageSettings } from './http/pages.js'
import { readiness } from './http/readiness.js'
import { refusals } from './http/refusals.js'
import { type Route, routing, type Verb } from './http/routing.js'
import { securityHeaders } from './http/security.js'
import type { ClinicianProvider } from './identity/clinician.js'
import type { LaunchIssuers } from './identity/launch-issuer.js'
import type { OwnKeys } from './keys/by-hand.js'
import type { Keys } from './keys/signing.js'
import type { TrustedKeys } from './keys/trusted.js'
import { emergencyAccess } from './launch/emergency.js'
import { endLaunched } from './launch/end.js'
import { claimedAncestors } from './launch/framing.js'
import { carryOn } from './launch/identify.js'
import { endSessions, openSessions, signOnToSee } from './launch/open-sessions.js'
import { outcome } from './launch/outcome.js'
import type { LaunchParts } from './launch/parts.js'
import { openLink, push } from './launch/push.js'
import { receive, refuseClearText } from './launch/receive.js'
import { relay, relayCallback } from './launch/relay.js'
import { sealed } from './launch/sealed.js'
import { signOnCallback, startSignOn } from './launch/sign-on.js'
import { backchannelLogout } from './launch/sign-out.js'
import { standaloneLaunch } from './launch/standalone.js'
import { authorize } from './oauth/authorize.js'
import { introspect } from './oauth/introspect.js'
import { confirmLogout, logout } from './oauth/logout.js'
import {
  openidConfiguration,
  publish,
  publishCurrent,
  smartConfiguration,
} from './oauth/metadata.js'
import { par } from './oauth/par.js'
import type { OAuthParts } from './oauth/parts.js'
import {
  changeRegistration,
  endRegistration,
  readRegistration,
  register,
} from './oauth/register.js'
import { revoke } from './oauth/revoke.js'
import { token } from './oauth/token.js'
import { userinfo } from './oauth/userinfo.js'
import type { Sessions } from './session/sessions.js'
import type { Store } from './store/store.js'

export interface GatewayParts extends Pick<LaunchParts, 'handovers' | 'outcomes' | 'seals'> {
  readonly issuer: string
  readonly store: Store
  readonly trail: Trail
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly keys: Keys
  /** Our own keys, as an operator sees and turns them. */
  readonly ownKeys: OwnKeys
  readonly trusted: TrustedKeys
  readonly registry: Registry
  readonly sessions: Sessions
  readonly policies: Policies & { mayRead(): boolean; posts(): readonly Post[] }
  readonly drafts: ConsoleParts['drafts']
  readonly findings: ConsoleParts['findings']
  readonly provider: ClinicianProvider
  /** The same, for the console's people. */
  readonly team: ClinicianProvider
  readonly issuers: LaunchIssuers
  readonly knowUser: KnowUser
  readonly findPatient: Parameters<RateLimits['seeking']>[0]
  readonly limits: RateLimits
  readonly emergencies: Pick<LaunchParts['emergencies'], 'puts' | 'broken'> &
    ConsoleParts['emergencies']
  readonly matrices: ConsoleParts['matrices']
  readonly trials: ConsoleParts['trials']
  readonly directory: ConsoleParts['directory']
  readonly patientFlags: OAuthParts['patientFlags']
  readonly offered: ConsoleParts['offered']
  readonly styleUrl: OAuthParts['styleUrl']
  readonly styled: OAuthParts['styled']
  readonly registration?: OAuthParts['registration']
  readonly pages: PageSettings
  readonly trustProxy: readonly string[]
  /** Clients known by certificate; nobody is, where it is left out. */
  readonly mtls?: MutualTls | undefined
  readonly skew: Seconds
  readonly lifetimes: LaunchParts['lifetimes'] & OAuthParts['lifetimes'] & ConsoleParts['lifetimes']
  /** Handlers of the record's two bases, given how calls are let in. */
  readonly record: (bearer: Bearer) => {
    readonly fhir: RequestHandler
    readonly openehr: RequestHandler
  }
}

type Row = readonly [Verb, string, Answers, Readers, EventName, RequestHandler]

/** None of them is there while apps may not register themselves. */
// biome-ignore format: a table
function registrationRows(oauth: OAuthParts, limits: RateLimits): readonly Row[] {
  const { registration } = oauth
  if (!registration) return []
  const on = { ...oauth, registration }
  const one = '/oauth/register/:client'
  const rows: readonly [Verb, string, RequestHandler][] = [
    ['post',   '/oauth/register', limits.registrations(register(on))],
    ['get',    one,               readRegistration(on) as RequestHandler],
    ['put',    one,               changeRegistration(on) as RequestHandler],
    ['delete', one,               endRegistration(on) as RequestHandler],
  ]
  return rows.map(([verb, path, handler]) => [verb, path, 'json', 'nobody', 'registration_refused', handler])
}

const consoleRowsOf = (parts: ConsoleParts): readonly Row[] => {
  const [api, pages] = [apiRoutes(parts), consoleRoutes(parts)]
  const rows = (answers: Answers, routes: typeof api): readonly Row[] =>
    routes.map(([verb, path, handler]) => [
      ...([verb, path, answers, 'nobody', 'console_refused', handler] as const),
    ])
  return [...rows('json', api), ...rows('page', pages)]
}

// biome-ignore format: a table
function surface(parts: GatewayParts, dpop: Dpop, certificateOf: CertificateOf): readonly Route[] {
  const pages = createPages(parts.pages)
  const bases = { fhir: `${parts.issuer}/fhir`, openehr: `${parts.issuer}/openehr/v1` }
  const findPatient = parts.limits.seeking(parts.findPatient)
  const emergencies = { ...parts.emergencies, admit: parts.limits.emergency }
  const launch: LaunchParts = { ...parts, pages, fhirBase: bases.fhir, findPatient, emergencies }
  const tokens = openAccessTokens(parts)
  const oauth: OAuthParts = { ...parts, pages, bases, dpop, certificateOf, tokens }
  const authenticate = parts.limits.clients(
    createClientAuthentication({ ...parts, certificateOf }),
  )
  const callers = parts.limits.calls(createCallers({ ...parts, tokens, dpop, certificateOf }))
  const record = parts.record(bearerOf(callers, { ...parts, tokens }))
  const smart = publish(smartConfiguration(oauth))
  const openid = publish(openidConfiguration(oauth))
  const on = { launch, oauth }
  const registering = registrationRows(oauth, parts.limits)
  // Tried from the first on, at some 0.3 µs each: what is called most stands first.
  const rows: readonly Row[] = [
    ['get',  '/fhir/.well-known/smart-configuration',   'json', 'anyone', 'access_refused',        smart],
    ['get',  '/fhir/metadata',                          'fhir', 'anyone', 'access_refused',        record.fhir],
    ['use',  '/fhir',                                   'fhir', 'apps',   'access_refused',        record.fhir],
    ['use',  '/openehr/v1',                             'json', 'apps',   'access_refused',        record.openehr],
    ['post', '/launch',                                 'page', 'nobody', 'launch_refused',        receive(on.launch)],
    ['get',  '/launch',                                 'page', 'nobody', 'launch_refused',        refuseClearText],
    ['post', '/launch/push',                            'json', 'nobody', 'launch_refused',        push(on.launch)],
    ['post', '/launch/end',                             'json', 'nobody', 'sign_out_refused',      endLaunched(on.launch)],
    ['get',  '/launch/:launch/outcome',                 'json', 'nobody', 'outcome_refused',       outcome(on.launch) as RequestHandler],
    ['get',  '/launch/smart',                           'page', 'nobody', 'launch_refused',        relay({ ...launch, issuers: parts.issuers })],
    ['get',  '/launch/smart/callback',                  'page', 'nobody', 'launch_refused',        relayCallback({ ...launch, issuers: parts.issuers })],
    ['get',  '/launch/sealed',                          'page', 'nobody', 'launch_refused',        sealed(on.launch)],
    ['post', '/launch/sealed',                          'page', 'nobody', 'launch_refused',        sealed(on.launch)],
    ['get',  '/launch/standalone',                      'page', 'nobody', 'authorization_refused', standaloneLaunch(on.launch)],
    ['post', '/launch/continue',                        'page', 'nobody', 'launch_refused',        carryOn(on.launch)],
    ['post', '/launch/emergency',                       'page', 'nobody', 'launch_refused',        emergencyAccess(on.launch)],
    ['get',  '/launch/:link',                           'page', 'nobody', 'launch_refused',        openLink(on.launch) as RequestHandler],
    ['post', '/sign-in/start',                          'page', 'nobody', 'sign_on_refused',       startSignOn(on.launch)],
    ['get',  '/sign-in/callback',                       'page', 'nobody', 'sign_on_refused',       signOnCallback(on.launch)],
    ['post', '/sign-in/backchannel-logout',             'json', 'nobody', 'sign_on_refused',       backchannelLogout(on.launch)],
    ['get',  '/sign-in/sessions',                       'page', 'nobody', 'sign_on_refused',       openSessions(on.launch)],
    ['post', '/sign-in/sessions',                       'page', 'nobody', 'sign_out_refused',      endSessions(on.launch)],
    ['post', '/sign-in/sessions/start',                 'page', 'nobody', 'sign_on_refused',       signOnToSee(on.launch)],
    ['get',  '/oauth/logout',                           'page', 'nobody', 'sign_out_refused',      logout(on.oauth)],
    ['post', '/oauth/logout',                           'page', 'nobody', 'sign_out_refused',      logout(on.oauth)],
    ['post', '/oauth/logout/confirm',                   'page', 'nobody', 'sign_out_refused',      confirmLogout(on.oauth)],
    ['get',  '/oauth/authorize',                        'page', 'nobody', 'authorization_refused', authorize(on.oauth)],
    ['post', '/oauth/authorize',                        'page', 'nobody', 'authorization_refused', authorize(on.oauth)],
    ['post', '/oauth/par',                              'json', 'apps',   'authorization_refused', par(on.oauth, authenticate)],
    ['post', '/oauth/token',                            'json', 'apps',   'token_refused',         token(on.oauth, authenticate)],
    ['post', '/oauth/introspect',                       'json', 'nobody', 'access_refused',        introspect(on.oauth, { authenticate, callers })],
    ['post', '/oauth/revoke',                           'json', 'apps',   'token_refused',         revoke(on.oauth, authenticate)],
    ['get',  '/oauth/userinfo',                         'json', 'apps',   'access_refused',        userinfo(on.oauth, callers)],
    ['post', '/oauth/userinfo',                         'json', 'apps',   'access_refused',        userinfo(on.oauth, callers)],
    ...registering,
    ...consoleRowsOf({ ...parts, pages }),
    ['get',  '/oauth/jwks',                             'json', 'anyone', 'access_refused',        publishCurrent(() => parts.keys.jwks)],
    ['get',  '/.well-known/openid-configuration',       'json', 'anyone', 'access_refused',        openid],
    ['get',  '/.well-known/oauth-authorization-server', 'json', 'anyone', 'access_refused',        openid],
    ['get',  '/.well-known/smart-configuration',        'json', 'anyone', 'access_refused',        smart],
  ]
  return rows.map(([verb, path, answers, readers, refused, handler]) => ({ verb, path, answers, readers, refused, handler }))
}

export function createGateway(parts: GatewayParts): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  app.set('case sensitive routing', true)
  app.set('trust proxy', parts.trustProxy.length > 0 ? [...parts.trustProxy] : false)
  // What goes wrong before any route is chosen, in an address that cannot be read, is refused as well.
  app.use((_req, res, next) => {
    startJourney(res, 'json', 'access_refused')
    next()
  })
  app.use(securityHeaders(parts.issuer.startsWith('https:')))

  const certificateOf = createCertificates(parts)
  const nonces = createNonces(parts)
  const dpop = createDpop({ ...parts, nonces, aliasOf: aliasOf(parts.mtls, certificateOf) })
  const { hasOrigin } = parts.registry
  const through = { hasOrigin, nonce: dpop.nonce, flood: parts.limits.flood }
  app.use(routing(surface(parts, dpop, certificateOf), through))
  app.get('/livez', (_req, res) => void res.json({ alive: true }))
  app.get('/readyz', readiness(parts))
  app.use('/assets', assets())
  app.use(parts.limits.flood, (_req, res) => {
    startJourney(res, 'json', 'access_refused')
    throw new Refusal('not_found', 'no such endpoint')
  })
  app.use(
    refusals({
      ...parts,
      pages: createPages(parts.pages),
      claimedAncestors: claimedAncestors(parts),
    }),
  )
  return app
}
