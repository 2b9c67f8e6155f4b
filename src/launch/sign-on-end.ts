/** The end of a journey to the OpenID provider: whom it signed on, and where somebody goes who launched nothing. */
import type { Happening } from '../core/audit.js'
import { sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { type PendingSignOn, personOf, type SignOn } from '../core/session.js'
import { after } from '../core/values.js'
import { browsersOf, ensureBrowser, renewBrowser } from '../http/browser.js'
import { seeOther } from '../http/redirect.js'
import type { Exchange, LaunchParts } from './parts.js'

/** Where one sees what is open in one's name. */
export const SESSIONS = '/sign-in/sessions'

/** @throws Refusal sign_on_state_invalid */
export async function spendState(parts: LaunchParts, state: string): Promise<void> {
  const until = after(parts.clock(), parts.lifetimes.pending)
  if (!(await parts.store.commit({ claims: [{ what: `state/${sha256(state)}`, until }] })))
    throw new Refusal('sign_on_state_invalid', 'used before')
}

/** The sign-on that the provider's answer makes, not yet stored. @throws Refusal what the provider's answer refuses */
export async function finishSignOn(
  parts: LaunchParts,
  callback: URL,
  begun: PendingSignOn & { readonly state: string },
  browser: string,
): Promise<SignOn> {
  const clinician = await parts.provider.finish(callback, begun)
  const { issuer, authentication, providerSession } = clinician
  return parts.sessions.open({
    user: parts.knowUser(clinician.user, clinician.organization, clinician.assurance),
    ...{ by: 'provider', issuer, authentication, browser },
    ...(providerSession === undefined ? {} : { providerSession }),
  })
}

/** The entry that a sign-on at the provider makes. */
export const signedOn = (signOn: SignOn, about: Partial<Happening> = {}): Happening => ({
  what: 'signed_on',
  outcome: 'success',
  ...about,
  signOn: signOn.id,
  user: {
    id: personOf(signOn.user, signOn.issuer),
    ...(signOn.user.name === undefined ? {} : { name: signOn.user.name }),
    roles: signOn.user.roles,
    organization: signOn.user.organization.odsCode,
  },
  detail: { by: 'provider', issuer: signOn.issuer, assurance: signOn.user.assurance },
})

/**
 * Somebody signed on to see what is open in their name, in the browser that they began in. Whoever else was signed
 * on in it is not any more, as with a launch.
 *
 * @throws Refusal sign_on_state_invalid and what the provider's answer refuses
 */
export async function arriveToSee(
  parts: LaunchParts,
  { req, res }: Exchange,
  state: string,
  begun: PendingSignOn,
): Promise<void> {
  await spendState(parts, state)
  const callback = new URL(req.originalUrl, parts.issuer)
  const signOn = await finishSignOn(parts, callback, { ...begun, state }, begun.browser)
  const person = personOf(signOn.user, signOn.issuer)
  const held = await parts.sessions.find(browsersOf(req))
  const ends = held
    .filter(({ user, issuer }) => personOf(user, issuer) !== person)
    .map((other) => parts.sessions.ending(other, 'another user signed on in this browser'))
  const browser = ensureBrowser(req, res, parts.random)
  const was = await parts.sessions.names([browser.hash])
  const hash = renewBrowser(res, browser, parts.random)
  await parts.trail.commit({
    record: [signedOn(signOn), ...ends.flatMap(({ record }) => record)],
    puts: [
      ...(await parts.sessions.puts({ ...signOn, browser: hash }, was)),
      ...ends.flatMap(({ puts }) => puts),
    ],
  })
  seeOther(res, `${parts.issuer}${SESSIONS}`)
}
