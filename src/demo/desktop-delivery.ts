/** How each pretend GP system hands its launch over: to the gateway's server, or through the browser. */
import type { JWK } from 'jose'
import { type LaunchId, launchOfSecret, newLaunchId, newLaunchSecret, sha256 } from '../core/ids.js'
import type { LaunchTokenClaims } from './desktop-faults.js'
import type { SentLaunch } from './desktop-inspector.js'
import {
  ASSERTION_TYPE,
  type BuiltLaunch,
  buildAssertion,
  buildLaunchToken,
  buildSealedLaunch,
  draftLaunch,
  type Launch,
} from './desktop-launches.js'
import type { SmartServer } from './desktop-smart-server.js'
import { PORTRAITS, type SystemId } from './desktop-systems.js'

const ANSWER_MS = 10_000

export interface Field {
  readonly name: string
  readonly value: string
}

/** What the page does next: show an address in the frame, post a form into it, or show a refusal. */
export type Delivered =
  | { readonly style: 'frame-url'; readonly url: string }
  | { readonly style: 'form-post'; readonly action: string; readonly fields: readonly Field[] }
  | { readonly style: 'refused'; readonly status: number; readonly answer: Record<string, unknown> }

export interface DeliveryParts {
  readonly desktop: string
  readonly gateway: string
  readonly app: string
  readonly smart: SmartServer
  readonly fetch: typeof fetch
}

/** The gateway did not answer at all. */
export class GatewayUnreachable extends Error {}

const call = (parts: DeliveryParts, url: string, init: RequestInit = {}): Promise<Response> =>
  parts
    .fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) })
    .catch((cause: unknown) => {
      throw new GatewayUnreachable('no answer', { cause })
    })

export type Outcome = {
  readonly delivered: Delivered
  /** For the inspector. `at` is set anew when a fault spent the launch first. */
  readonly sent: Omit<SentLaunch, 'id' | 'fault' | 'system'>
}

type Deliver = (parts: DeliveryParts, launch: Launch, chart: string) => Promise<Outcome>

const nameOf = ({ system }: Launch): string => PORTRAITS[system.id as SystemId].name
const field = (name: string, value: string): Field => ({ name, value })

function post(parts: DeliveryParts, url: string, fields: readonly Field[]): Promise<Response> {
  const body = new URLSearchParams(fields.map(({ name, value }): [string, string] => [name, value]))
  return call(parts, url, { method: 'POST', body })
}

const jsonOf = async (response: Response): Promise<Record<string, unknown>> => {
  const value: unknown = await response.json().catch(() => ({}))
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

const said = (launch: Launch, how: string, { header, claims, draft }: BuiltLaunch) => ({
  ...{ at: launch.clock(), how, header, claims, jti: draft.claims.jti },
})

/** What a system that neither signs nor seals would send. It travels in a form, never in an address. */
const clearText = ({ sub, app, patient }: LaunchTokenClaims): readonly Field[] => [
  ...[field('user', sub), field('app', app), field('nhs_number', patient.nhs_number)],
  field('birth_date', patient.birth_date ?? ''),
]

/** No token, and so no number by which the trail could name it. */
const inTheClear = (launch: Launch, action: string, fields: readonly Field[]): Outcome => ({
  delivered: { style: 'form-post', action, fields },
  sent: {
    ...{ at: launch.clock(), how: `${nameOf(launch)} sent patient and user as they are.` },
    claims: Object.fromEntries(fields.map(({ name, value }) => [name, value])),
  },
})

const launchOfLink = (uri: string): { readonly launch?: LaunchId } => {
  const launch = launchOfSecret('lnk', uri.split('/').at(-1) ?? '')
  return launch === undefined ? {} : { launch }
}

const altered = (uri: string): string => uri.slice(0, -1) + (uri.endsWith('A') ? 'B' : 'A')

const deliverPush: Deliver = async (parts, launch) => {
  const built = await buildLaunchToken(launch)
  const { delivery } = built.draft
  const token = field('launch_token', built.token)
  const push = async () =>
    post(parts, `${parts.gateway}/launch/push`, [
      field('client_assertion_type', ASSERTION_TYPE),
      field('client_assertion', await buildAssertion(launch)),
      ...(delivery === 'repeated-parameter' ? [token, token] : [token]),
    ])
  if (delivery === 'twice') await push()
  const how = `${nameOf(launch)} sent a launch token to the gateway, from server to server, with an assertion that proves which server it is. The browser only gets a link that works once.`
  const sent = said(launch, how, built)
  const response = await push()
  const answer = await jsonOf(response)
  if (response.status !== 201 || typeof answer.launch_uri !== 'string') {
    const delivered = { style: 'refused', status: response.status, answer } as const
    return { delivered, sent: { ...sent, refused: answer } }
  }
  const uri = answer.launch_uri
  if (delivery === 'opened-link') await call(parts, uri)
  const url = delivery === 'altered-link' ? altered(uri) : uri
  return { delivered: { style: 'frame-url', url }, sent: { ...sent, ...launchOfLink(uri) } }
}

const deliverPost: Deliver = async (parts, launch) => {
  const built = await buildLaunchToken(launch)
  const { delivery } = built.draft
  const action = `${parts.gateway}/launch`
  const token = field('launch_token', built.token)
  if (delivery === 'twice') await post(parts, action, [token])
  if (delivery === 'clear-text') return inTheClear(launch, action, clearText(built.draft.claims))
  const fields = delivery === 'repeated-parameter' ? [token, token] : [token]
  const how = `${nameOf(launch)} signed a launch token, and the browser posts it into the frame. Nothing of it is in an address.`
  return { delivered: { style: 'form-post', action, fields }, sent: said(launch, how, built) }
}

const deliverSmart: Deliver = async (parts, launch, chart) => {
  const draft = draftLaunch(launch)
  const minted = parts.smart.mint({ draft, chart })
  if (draft.delivery === 'twice') parts.smart.spend(minted)
  const handle = draft.delivery === 'altered-link' ? altered(minted) : minted
  const url = new URL(`${parts.gateway}/launch/smart`)
  url.searchParams.set('iss', `${parts.desktop}/smart`)
  url.searchParams.set('launch', handle)
  const how = `${nameOf(launch)} gave the browser a handle that means nothing by itself. The gateway redeems it at the GP system, as any SMART app would, and gets these facts in an id_token.`
  const sent = { at: launch.clock(), how, handle: sha256(handle), jti: draft.claims.jti }
  return {
    delivered: { style: 'frame-url', url: url.href },
    sent: { ...sent, claims: { ...draft.claims } },
  }
}

async function sealingKey(parts: DeliveryParts): Promise<JWK> {
  const { keys } = await jsonOf(await call(parts, `${parts.gateway}/oauth/jwks`))
  const key = Array.isArray(keys) ? keys.find(({ use }: JWK) => use === 'enc') : undefined
  if (key === undefined) throw new GatewayUnreachable('no encryption key')
  return key as JWK
}

const deliverSealed: Deliver = async (parts, launch) => {
  const built = await buildSealedLaunch(launch, await sealingKey(parts))
  const action = `${parts.gateway}/launch/sealed`
  const { delivery, claims } = built.draft
  const system = field('system', launch.system.id)
  if (delivery === 'clear-text') return inTheClear(launch, action, [system, ...clearText(claims)])
  const fields = [system, field('sealed', built.token)]
  if (delivery === 'twice') await post(parts, action, fields)
  const how = `${nameOf(launch)} sealed the launch so that only the gateway can read it. Nothing proves who sealed it, or when: it is a hint, and the user signs in.`
  return { delivered: { style: 'form-post', action, fields }, sent: said(launch, how, built) }
}

/** Past the gateway: the app is opened with a handle of the right form that nobody issued. */
const deliverMadeUp: Deliver = async (parts, order) => {
  const { clock, random } = order
  const launch = newLaunchId(clock(), random)
  const url = new URL(`${parts.app}/launch.html`)
  url.searchParams.set('iss', `${parts.gateway}/fhir`)
  url.searchParams.set('launch', newLaunchSecret('hdl', launch, random))
  const how = `${nameOf(order)} sent nothing to the gateway: the app was opened with a made-up handle.`
  return { delivered: { style: 'frame-url', url: url.href }, sent: { at: clock(), how, launch } }
}

const DELIVERIES: Readonly<Record<SystemId, Deliver>> = {
  'gp-push': deliverPush,
  'gp-post': deliverPost,
  'gp-smart': deliverSmart,
  'gp-sealed': deliverSealed,
}

/** Hands a launch over in its system's own way. @throws GatewayUnreachable */
export const deliver = (
  parts: DeliveryParts,
  system: SystemId,
  launch: Launch,
  chart: string,
): Promise<Outcome> =>
  (launch.fault === 'made-up-handle' ? deliverMadeUp : DELIVERIES[system])(parts, launch, chart)
