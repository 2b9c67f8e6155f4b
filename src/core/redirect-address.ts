/** Addresses to which an answer may go: those that a client has registered. */
import type { ProvenRedirect } from './authorization-request.js'
import { Refusal } from './refusal.js'
import { plainText } from './text.js'

/** As the trail may hold it: what a query or fragment says could be anything. */
export const shown = (address: string): string =>
  plainText(address.replace(/([?#]).*$/s, '$1…'), 200)

/**
 * RFC 6749 §3.1.2.3: an address is proven by being registered, character by character. Which was sent and which are
 * registered is told to the trail alone: whoever made an honest mistake asks there.
 *
 * @throws Refusal redirect_unregistered
 */
export function proveAddress(registered: readonly string[], sent: string): ProvenRedirect {
  if (registered.includes(sent)) return sent as ProvenRedirect
  const facts = {
    sent: shown(sent),
    registered: registered.map((address) => address.slice(0, 200)),
  }
  throw new Refusal('redirect_unregistered', `${facts.sent} is not registered`, { facts })
}
