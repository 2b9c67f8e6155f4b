/** Opening a grant: the policies are asked, the handle is spent, the code exists. */
import { type Happening, patientNamed } from '../core/audit.js'
import { narrow, reachesData } from '../core/authorization.js'
import type { AuthorizationRequest, ProvenRedirect } from '../core/authorization-request.js'
import { circumstancesOf, inEmergency } from '../core/circumstances.js'
import type { Client } from '../core/client.js'
import { circumstancesKept } from '../core/denial.js'
import { openGrant } from '../core/grant.js'
import { hashOf, newId, newLaunchSecret } from '../core/ids.js'
import type { LaunchSession } from '../core/launch.js'
import { withinLaunch } from '../core/launch-scopes.js'
import { Refusal } from '../core/refusal.js'
import { personOf, type SignOn } from '../core/session.js'
import type { EpochMs } from '../core/values.js'
import { openedPuts } from '../session/sessions.js'
import type { OAuthParts } from './parts.js'
import type { Asking } from './request.js'

export const factsOf = ({ launch, patient, user }: LaunchSession) => ({
  launch: launch.id,
  system: launch.system,
  app: launch.app,
  purpose: launch.purpose,
  user: {
    id: personOf(user, launch.system),
    ...(user.name === undefined ? {} : { name: user.name }),
    roles: user.roles,
    organization: user.organization.odsCode,
  },
  ...(patient === undefined ? {} : { patient: patientNamed(patient) }),
})

export interface Proven {
  readonly client: Client
  readonly redirect: ProvenRedirect
  readonly asked: AuthorizationRequest
  readonly asking: Asking
  readonly session: LaunchSession
  readonly signOn: SignOn
  /** Of the launch's system, or the gateway's own. */
  readonly styleUrl: string | undefined
}

/** Asks today's policies about the user as today's role map knows them, both of one version. */
function judge(parts: OAuthParts, { asked, session }: Proven) {
  const now = parts.clock()
  const { user: kept, launch, patient, emergency } = session
  const user = parts.knowUser(kept, kept.organization.odsCode, kept.assurance)
  const plain = circumstancesOf(launch, user, patient, now)
  const circumstances = emergency ? inEmergency(plain, emergency.reason) : plain
  const version = parts.policies.version()
  const { encounter, episode, fhirContext = [] } = launch
  const practitioner = user.sdsUserId !== undefined
  const brought = { patient: !!patient, encounter: !!encounter, episode: !!episode, practitioner }
  const scopes = withinLaunch(asked.scopes, { ...brought, fhirContext })
  const judged = narrow(scopes, parts.policies, circumstances, parts.offered)
  return { now, user, circumstances, version, ...judged }
}

/** A pushed request is answered once. @see RFC 9126 §7.3 */
const spentOf = ({ pushed }: Asking, until: EpochMs) =>
  pushed === undefined ? [] : [{ what: `pushed/${pushed}`, until }]

/** Whether any scope of the record was asked: an app that only signs its user on asks for none. */
const asksData = ({ scopes }: AuthorizationRequest): boolean =>
  scopes.some(({ kind }) => kind !== 'plain')

/**
 * Asks the policies, opens the grant and spends the handle in one commit.
 * @returns the code, or `undefined` when the handle was already spent
 * @throws Refusal authorization_denied, policy_stale
 */
export async function grantCode(parts: OAuthParts, proven: Proven): Promise<string | undefined> {
  const { client, redirect, asked, asking, session, signOn } = proven
  if (!parts.policies.mayIssue())
    throw new Refusal('policy_stale', 'the policy version is not known')
  const { now, user, circumstances, version, scopes, policies, errors, denied } = judge(
    parts,
    proven,
  )
  const facts = factsOf({ ...session, user })
  const allowed = scopes.length > 0 && (reachesData(scopes) || !asksData(asked))
  const decision: Happening = {
    what: 'decision_made',
    outcome: allowed ? 'success' : 'refused',
    ...facts,
    policy: {
      version,
      effect: allowed ? 'allow' : 'deny',
      policies,
      ...(errors.length > 0 ? { errors } : {}),
    },
    detail: {
      ...{ action: 'grant', scopes },
      ...(allowed ? {} : { ...circumstancesKept(circumstances), asked: denied }),
    },
  }
  // A launch that an app asked for again is another use of it, once for each request.
  const use = asking.request === undefined ? '' : `/${asking.request}`
  const handle = { what: `handle/${session.launch.id}${use}`, until: signOn.until }
  const claims = [handle, ...spentOf(asking, signOn.until)]
  if (!allowed) {
    const fresh = await parts.trail.commit({ claims, record: [decision] })
    if (!fresh) return undefined
    throw new Refusal('authorization_denied', 'nothing of what was asked is allowed')
  }
  const code = newLaunchSecret('cod', session.launch.id, parts.random)
  const grant = openGrant(
    newId('grt', parts.random),
    { ...session, user },
    signOn,
    client,
    {
      scopes,
      redirectUri: redirect,
      ...(asked.challenge === undefined ? {} : { challenge: asked.challenge }),
      ...(asked.nonce === undefined ? {} : { nonce: asked.nonce }),
      ...(asked.dpopJkt === undefined ? {} : { dpopJkt: asked.dpopJkt }),
      codeHash: hashOf(code),
      claims: asked.claims,
      detailed: asked.detailed,
      ...(proven.styleUrl === undefined ? {} : { styleUrl: proven.styleUrl }),
    },
    { circumstances, policyVersion: version },
    { ...parts.bases, issuer: parts.issuer },
    {
      ...{ now, code: parts.lifetimes.code },
      offline: Math.min(
        parts.lifetimes.offline,
        client.offlineLifetime ?? Number.POSITIVE_INFINITY,
      ),
    },
  )
  const askedFor: Happening = {
    what: 'authorization_asked',
    outcome: 'success',
    ...facts,
    detail: { scopes: asked.scopes.length },
  }
  const opened: Happening = {
    what: 'grant_opened',
    outcome: 'success',
    ...facts,
    grant: grant.id,
    signOn: signOn.id,
  }
  const won = await parts.trail.commit({
    claims,
    record: [askedFor, decision, opened],
    drops: asking.pushed === undefined ? [] : [{ kind: 'pushed', id: asking.pushed }],
    puts: [
      { kind: 'grant', id: session.launch.id, value: grant, until: grant.until },
      ...openedPuts(signOn, grant),
    ],
  })
  return won ? code : undefined
}
