/** Signing out at the wish of an app, or of somebody who opens the address. */
import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import type { Client } from '../core/client.js'
import { proveAddress } from '../core/redirect-address.js'
import { Refusal } from '../core/refusal.js'
import { personOf, type SignOn } from '../core/session.js'
import type { Onward } from '../core/shown-form.js'
import { browsersOf } from '../http/browser.js'
import { answeredForm, showForm } from '../http/forms.js'
import { learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
import { seeOther } from '../http/redirect.js'
import { type Hint, readHint } from './hint.js'
import type { OAuthParts } from './parts.js'

/** Other parameters, `logout_hint` and `ui_locales`, change nothing here: who is signed on is known by the browser. */
const logoutParameters = z.object({
  id_token_hint: parameter(16_384).optional(),
  client_id: parameter(64).optional(),
  post_logout_redirect_uri: parameter().optional(),
  state: parameter().optional(),
})

/**
 * The app that asks, by the hint or by its own word: that is enough to look up where it may be returned to.
 * @throws Refusal parameter_invalid, client_unknown
 */
async function clientOf(
  parts: OAuthParts,
  named: string | undefined,
  hint: Hint | undefined,
): Promise<Client | undefined> {
  // §2 "the OP MUST verify that the Client Identifier matches the one used when issuing the ID Token"
  if (hint && named !== undefined && hint.app !== named)
    throw new Refusal('parameter_invalid', 'client_id is not that of the id_token')
  const id = hint?.app ?? named
  if (id === undefined) return undefined
  const client = await parts.registry.client(id)
  if (!client) throw new Refusal('client_unknown', id)
  return client
}

/**
 * Where the browser goes afterwards: a registered address, character by character. Without an app that is
 * known, nowhere.
 *
 * @throws Refusal redirect_unregistered
 * @see OpenID Connect RP-Initiated Logout 1.0 §2, §3
 */
function onwardOf(
  client: Client | undefined,
  sent: Pick<z.infer<typeof logoutParameters>, 'post_logout_redirect_uri' | 'state'>,
): Onward | undefined {
  const { post_logout_redirect_uri: to, state } = sent
  if (to === undefined || !client) return undefined
  const proven = proveAddress(client.postLogoutRedirectUris ?? [], to)
  return { to: proven, ...(state === undefined ? {} : { state }) }
}

/**
 * On to where the app wants, or to the page that ends here: that one reminds of apps that may go on without the user.
 * @see SMART App Launch 2.2, "Best Practices" (users are reminded of offline access, sparingly)
 */
async function leave(
  { pages, registry, sessions }: OAuthParts,
  res: Response,
  signedOut: readonly SignOn[],
  onward: Onward | undefined,
): Promise<void> {
  if (!onward) {
    const apps = signedOut.length === 0 ? [] : (await registry.clients()).map(({ id }) => id)
    const people = new Set(signedOut.map(({ user, issuer }) => personOf(user, issuer)))
    const away = await Promise.all([...people].map((person) => sessions.away(person, apps)))
    pages.send(res, 200, 'signed-out', { away: new Set(away.flat()).size })
    return
  }
  const url = new URL(onward.to)
  if (onward.state !== undefined) url.searchParams.set('state', onward.state)
  seeOther(res, url.href)
}

async function endAll(
  { sessions }: OAuthParts,
  signOns: readonly SignOn[],
  why: string,
): Promise<void> {
  for (const signOn of signOns) await sessions.end(signOn, why)
}

const filledIn = (req: Request) => new Map([...parameters(req)].filter(([, value]) => value !== ''))

/**
 * GET and POST /oauth/logout. An id_token of the very sign-on of this browser proves that its app means it;
 * everything else could be another page's doing, and the user is asked.
 *
 * @throws Refusal parameter_invalid, client_unknown, redirect_unregistered: pages, never sent to the app
 * @see OpenID Connect RP-Initiated Logout 1.0 §2, §4, §6
 */
export function logout(parts: OAuthParts): RequestHandler {
  return async (req, res) => {
    const { id_token_hint, client_id, ...sent } = readParameters(logoutParameters, filledIn(req))
    const hint = id_token_hint === undefined ? undefined : await readHint(parts, id_token_hint)
    const client = await clientOf(parts, client_id, hint)
    if (client) learn(res, { app: client.id })
    const onward = onwardOf(client, sent)

    const held = await parts.sessions.find(browsersOf(req))
    const meant = held.filter(({ id }) => id === hint?.signOn)
    await endAll(parts, meant, `${client?.id} signed the user out`)
    if (meant.length > 0 || held.length === 0) return leave(parts, res, held, onward)

    const shown = { asks: 'sign-out' as const, ...(onward ? { onward } : {}) }
    const secret = await showForm(parts, { req, res }, shown)
    const data = { secret, app: client?.name, names: namesOf(held) }
    const lead = onward ? [new URL(onward.to).origin] : []
    parts.pages.send(res, 200, 'sign-out', data, lead)
  }
}

/** Who would be signed out, as they are called. */
const namesOf = (signOns: readonly SignOn[]): readonly string[] => [
  ...new Set(signOns.map(({ user }) => user.name ?? user.localId)),
]

/**
 * POST /oauth/logout/confirm: the user's yes, in the browser that was asked.
 * @throws Refusal form_invalid
 */
export function confirmLogout(parts: OAuthParts): RequestHandler {
  return async (req, res) => {
    const { onward } = await answeredForm(parts, req, parameters(req).get('form'), 'sign-out')
    const held = await parts.sessions.find(browsersOf(req))
    await endAll(parts, held, 'the user signed out')
    await leave(parts, res, held, onward)
  }
}
