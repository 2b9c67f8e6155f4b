/** What is wrong with a registration for production although its form is right, a line each. */

type Kind = 'app' | 'system'

const DEMO_SYSTEMS = ['gp-push', 'gp-post', 'gp-smart', 'gp-sealed']

/** Members that hold addresses which a browser or we would open. */
const ADDRESSES: Readonly<Record<Kind, readonly string[]>> = {
  app: [
    ...['redirect_uris', 'launch_urls', 'origins', 'jwks_uri'],
    ...['post_logout_redirect_uris', 'backchannel_logout_uri'],
  ],
  system: ['issuer', 'jwks_uri', 'frame_ancestors', 'relay.issuer'],
}
const NAMES: Readonly<Record<Kind, string>> = { app: 'app', system: 'launch system' }

export const isPlain = (address: string): boolean => /^http:/i.test(address)

/** What stands at a path, in a row that may not be sound. */
export const memberAt = (row: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((value, step) => (value as Record<string, unknown> | null)?.[step], row)

const textsAt = (row: unknown, path: string): readonly string[] =>
  [memberAt(row, path)].flat().filter((value): value is string => typeof value === 'string')

/** Only a system that we call has an address for its issuer; others may call themselves what they like. */
const isAddress = (row: unknown, path: string): boolean =>
  path !== 'issuer' || memberAt(row, 'rung') === 'redeemed'

/** Addresses in clear text, and what is the demonstration's. */
export function unfit(kind: Kind, row: unknown): readonly string[] {
  const id = String(memberAt(row, 'id') ?? '')
  const name = `${NAMES[kind]} ${id}`
  const plain = ADDRESSES[kind]
    .filter((path) => isAddress(row, path))
    .flatMap((path) => textsAt(row, path).map((address) => ({ path, address })))
    .filter(({ address }) => isPlain(address))
    .map(({ path, address }) => `${name}: ${path}: ${address} must be https`)
  const demo = kind === 'system' && DEMO_SYSTEMS.includes(id)
  return [...plain, ...(demo ? [`${name}: is the demonstration’s`] : [])]
}
