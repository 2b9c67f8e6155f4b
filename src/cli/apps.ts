import { readFileSync } from 'node:fs'
import { createRegistry } from '../access/registry.js'
import { openTrail } from '../audit/trail.js'
import { type Client, inlineKeys } from '../core/client.js'
import { clientRow, SECRET } from '../core/client-registration.js'
import { hashOf, newSecret } from '../core/ids.js'
import { after, dayOf, type EpochMs } from '../core/values.js'
import {
  type Command,
  need,
  type Option,
  type Outside,
  text,
  texts,
  Usage,
  type Values,
} from './command.js'
import { add, fileOf, filled, row, words } from './registrations.js'
import { STORE_OPTIONS, withStore } from './with-store.js'

/** How a member of a registration is read from the command line. */
type Read = (values: Values, option: string) => unknown

const flag: Read = (values, option) => (values[option] === true ? true : undefined)

const number: Read = (values, option) => {
  const value = text(values, option)
  return value === undefined ? undefined : Number(value)
}

/** What is neither yes nor no is left to the registration's own message. */
const yesNo: Read = (values, option) => {
  const value = text(values, option)
  return value === 'yes' ? true : value === 'no' ? false : value
}

interface Member extends Option {
  readonly option: string
  readonly member: string
  readonly read: Read
}

/** Every member that is said by an option of its own. */
// biome-ignore format: a table
export const MEMBERS: readonly Member[] = [
  { option: 'profile',            member: 'profile',                    read: text,  type: 'string', value: 'PROFILE', help: 'smart (default), oidc or fapi2' },
  { option: 'grant',              member: 'grant_types',                read: texts, type: 'string', multiple: true, value: 'TYPE', help: 'a grant type, repeatable (default authorization_code and refresh_token)' },
  { option: 'redirect',           member: 'redirect_uris',              read: texts, type: 'string', multiple: true, value: 'URL', help: 'where codes may go, repeatable' },
  { option: 'launch-url',         member: 'launch_urls',                read: texts, type: 'string', multiple: true, value: 'URL', help: 'where it is started, repeatable' },
  { option: 'origin',             member: 'origins',                    read: texts, type: 'string', multiple: true, value: 'URL', help: 'from where its pages call, repeatable (default those of its redirects)' },
  { option: 'scope',              member: 'scopes',                     read: words, type: 'string', value: '"…"', help: 'the most that it may ever be given' },
  { option: 'jwks-uri',           member: 'jwks_uri',                   read: text,  type: 'string', value: 'URL', help: 'where its public keys are' },
  { option: 'jwks',               member: 'jwks',                       read: (values, option) => fileOf(text(values, option)), type: 'string', value: 'FILE', help: 'its public keys' },
  { option: 'jwks-since',         member: 'jwks_since',                 read: text,  type: 'string', value: 'DATE', help: 'with --jwks: since when these are its keys, such as 2026-01-31 (default today)' },
  { option: 'algorithm',          member: 'assertion_algorithms',       read: texts, type: 'string', multiple: true, value: 'ALG', help: 'what it signs with, repeatable (default all of its profile)' },
  { option: 'subject-dn',         member: 'tls_client_auth_subject_dn', read: text,  type: 'string', value: 'DN', help: 'with --type certificate: whom it must name' },
  { option: 'san-dns',            member: 'tls_client_auth_san_dns',    read: text,  type: 'string', value: 'NAME', help: 'the same, by an alternative name' },
  { option: 'san-uri',            member: 'tls_client_auth_san_uri',    read: text,  type: 'string', value: 'URI', help: 'the same, by an address' },
  { option: 'san-ip',             member: 'tls_client_auth_san_ip',     read: text,  type: 'string', value: 'ADDRESS', help: 'the same, by an IP address' },
  { option: 'san-email',          member: 'tls_client_auth_san_email',  read: text,  type: 'string', value: 'EMAIL', help: 'the same, by an e-mail address' },
  { option: 'certificate-bound',  member: 'tls_client_certificate_bound_access_tokens', read: flag, type: 'boolean', help: 'its tokens are bound to its certificate, always' },
  { option: 'dpop-bound',         member: 'dpop_bound_access_tokens',   read: flag,  type: 'boolean', help: 'its tokens are bound to a key of its choice (DPoP), always' },
  { option: 'dpop-nonce',         member: 'dpop_nonce',                 read: text,  type: 'string', value: 'required', help: 'its proofs must carry a nonce of ours (an app whose tokens are bound to a key)' },
  { option: 'pushed',             member: 'require_pushed_authorization_requests', read: flag, type: 'boolean', help: 'it must push its authorization requests' },
  { option: 'pkce',               member: 'pkce',                       read: text,  type: 'string', value: 'optional', help: 'profile oidc: neither PKCE nor a nonce is demanded (weaker)' },
  { option: 'request-objects',    member: 'request_objects',            read: text,  type: 'string', value: 'WHEN', help: 'allowed or required: signed authorization requests' },
  { option: 'details-type',       member: 'authorization_details_types', read: texts, type: 'string', multiple: true, value: 'TYPE', help: 'smart_on_fhir: what it may ask by authorization_details' },
  { option: 'contexts',           member: 'contexts',                   read: (values, option) => fileOf(text(values, option)), type: 'string', value: 'FILE', help: 'JSON: its own kinds of launch context, [{"name": "__…", "type": "…"}]' },
  { option: 'id-token-algorithm', member: 'id_token_algorithm',         read: text,  type: 'string', value: 'ALG', help: 'RS256 (default) or ES256' },
  { option: 'userinfo-algorithm', member: 'userinfo_algorithm',         read: text,  type: 'string', value: 'ALG', help: 'signs its userinfo with RS256 or ES256' },
  { option: 'exchanges-for',      member: 'exchanges_for',              read: texts, type: 'string', multiple: true, value: 'ID', help: 'an app whose tokens it exchanges as its back end, repeatable' },
  { option: 'introspects',        member: 'introspects',                read: yesNo, type: 'string', value: 'yes|no', help: 'yes: it may introspect other apps’ tokens, as a server that takes them (default no, but for services with the scope __introspect)' },
  { option: 'post-logout-redirect', member: 'post_logout_redirect_uris', read: texts, type: 'string', multiple: true, value: 'URL', help: 'where a sign-out may go on to, repeatable' },
  { option: 'backchannel-logout', member: 'backchannel_logout_uri',     read: text,  type: 'string', value: 'URL', help: 'where it is told that a sign-on is over' },
  { option: 'backchannel-logout-session', member: 'backchannel_logout_session_required', read: flag, type: 'boolean', help: 'and it must be told of which session (it always is)' },
  { option: 'token-lifetime',     member: 'access_token_lifetime',      read: number, type: 'string', value: 'SECONDS', help: 'of its access tokens, at most 600' },
  { option: 'offline-lifetime',   member: 'offline_lifetime',           read: number, type: 'string', value: 'SECONDS', help: 'of its grants with offline_access, where the gateway’s own is longer' },
]

/** What an app of type secret shares with us: made here and said once, or taken from a file or standard input. @throws Usage */
async function secretOf(outside: Outside, values: Values): Promise<string | undefined> {
  if (text(values, 'type') !== 'secret') return undefined
  const file = text(values, 'secret-file')
  if (file === undefined) return newSecret('sec', outside.random)
  const secret = (file === '-' ? await outside.input() : readFileSync(file, 'utf8')).trim()
  if (!SECRET.test(secret))
    throw new Usage('--secret-file: expected 32 to 256 letters, digits and . _ ~ -')
  return secret
}

export const appAdd: Command = {
  name: 'app add',
  summary: 'register an app (an OAuth client)',
  help: `
Writes a registration to the store. Addresses are complete and compared character by character. An app of
type secret gets one that is shown here and never again, unless --secret-file brings its own.

  launch-gateway app add --id my-app --type public --redirect https://app.example/ \\
    --launch-url https://app.example/launch.html --scope "launch openid fhirUser patient/*.rs"
  launch-gateway app add --id my-service --type key --grant client_credentials \\
    --jwks-uri https://service.example/jwks.json --scope "system/Patient.rs"
  launch-gateway app add --id my-back-end --type key --jwks-uri https://app.example/jwks.json \\
    --grant urn:ietf:params:oauth:grant-type:token-exchange --exchanges-for my-app --scope "patient/*.rs"`,
  options: {
    id: { type: 'string', help: 'lower case letters, digits and hyphens' },
    name: { type: 'string', help: 'what people call it (default its id)' },
    type: { type: 'string', value: 'TYPE', help: 'public, secret, key or certificate' },
    'secret-file': {
      type: 'string',
      value: 'FILE',
      help: 'with --type secret: its secret; - for standard input',
    },
    ...Object.fromEntries(
      MEMBERS.map(({ option, member: _, read: __, ...rest }) => [option, rest]),
    ),
    ...STORE_OPTIONS,
  },
  async run(outside, values) {
    const secret = await secretOf(outside, values)
    const members = MEMBERS.map(({ option, member, read }) => [member, read(values, option)])
    const keyed = text(values, 'jwks') !== undefined
    await add(
      outside,
      values,
      'app',
      clientRow,
      filled({
        id: need(values, 'id'),
        name: text(values, 'name') ?? need(values, 'id'),
        type: need(values, 'type'),
        ...(secret === undefined ? {} : { secret_hash: hashOf(secret) }),
        ...Object.fromEntries(members),
        ...(keyed ? { jwks_since: text(values, 'jwks-since') ?? dayOf(outside.clock()) } : {}),
      }),
    )
    if (secret !== undefined && text(values, 'secret-file') === undefined)
      outside.say(`Its secret, shown this once: ${secret}`)
  },
}

const NUMBER = /^[1-9]\d{0,3}$/

/** A whole number within bounds. @throws Usage */
function bounded(values: Values, option: string, standard: number, most: number): number {
  const value = text(values, option) ?? String(standard)
  if (!NUMBER.test(value) || Number(value) > most)
    throw new Usage(`--${option}: expected a number from 1 to ${most}`)
  return Number(value)
}

export const appToken: Command = {
  name: 'app token',
  summary: 'make an initial access token, by which apps may register themselves',
  help: `
Works where the configuration says registration.by: initial-token. The token is shown here and never again;
each use registers one app, which no system launches until it stands in that system's apps.

  launch-gateway app token --uses 1 --days 7`,
  options: {
    uses: { type: 'string', value: 'N', help: 'how many apps it may register (1; 100 at most)' },
    days: { type: 'string', value: 'D', help: 'how long it is good for (7; 365 at most)' },
    ...STORE_OPTIONS,
  },
  async run(outside, values) {
    const [uses, days] = [bounded(values, 'uses', 1, 100), bounded(values, 'days', 7, 365)]
    const token = newSecret('ini', outside.random)
    const id = hashOf(token)
    const until = after(outside.clock(), days * 86_400)
    await withStore(outside, values, async (store) => {
      const trail = await openTrail({ store, clock: outside.clock })
      const by = outside.env.USER ?? 'command line'
      const detail = { added: 'initial token', initial: id.slice(0, 8), uses, days, by }
      await trail.commit({
        record: [{ what: 'configuration_changed', outcome: 'success', detail }],
        puts: [{ kind: 'initial', id, value: { uses, used: 0, until }, until }],
      })
    })
    outside.say(`Initial token ${id.slice(0, 8)}, shown this once: ${token}`)
  },
}

/** How old the keys are that stand in its registration, and what to do about it. */
function keysOf(app: Client, now: EpochMs): string {
  const keys = inlineKeys(app, now)
  if (!keys) return ''
  const age = keys.days === undefined ? 'of unknown age' : `${keys.days} days old`
  return `keys ${age}${keys.old ? ': ask for new ones' : ''}`
}

export const appList: Command = {
  name: 'app list',
  summary: 'list registered apps',
  help: `
Those of the configuration and those that were added. Keys that stand in a registration are shown with their
age: those of more than a year, or of nobody knows when, are to be renewed. A jwks_uri needs no reminder.

  launch-gateway app list`,
  options: STORE_OPTIONS,
  run: (outside, values) =>
    withStore(outside, values, async (store, { apps, systems }) => {
      for (const app of await createRegistry({
        store,
        apps,
        systems,
        clock: outside.clock,
      }).clients()) {
        const { id, type, profile, redirectUris } = app
        const keys = keysOf(app, outside.clock())
        outside.say(row([id, type, profile, redirectUris.join(' '), keys], [20, 11, 5]))
      }
    }),
}
