import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { createRegistry } from '../access/registry.js'
import { openTrail } from '../audit/trail.js'
import { clientRow, launchSystemRow } from '../core/registration.js'
import {
  type Command,
  need,
  type Outside,
  Refused,
  text,
  texts,
  Usage,
  type Values,
} from './command.js'
import { STORE_OPTIONS, withStore } from './with-store.js'

const FOREVER = Date.UTC(9999, 0)

function fileOf(path: string | undefined): Record<string, unknown> | undefined {
  if (path === undefined) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  } catch (error) {
    throw new Usage(`${path}: ${(error as Error).message}`)
  }
}

/** Empty members are left out, so that the row's own defaults and messages speak. */
const filled = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).filter(([, v]) => v !== undefined && !(Array.isArray(v) && v.length === 0)),
  )

const words = (values: Values, name: string): string[] | undefined =>
  text(values, name)
    ?.split(/[\s,]+/)
    .filter(Boolean)

/** Adds a row that does not stand yet; who, when and what are in the trail. */
async function add(
  outside: Outside,
  values: Values,
  kind: 'app' | 'system',
  schema: z.ZodType,
  row: Record<string, unknown>,
): Promise<void> {
  const read = schema.safeParse(row)
  if (!read.success) {
    throw new Usage(
      read.error.issues.map((i) => `${i.path.join('.') || kind}: ${i.message}`).join('\n'),
    )
  }
  const id = String(row.id)
  await withStore(outside, values, async (store, config) => {
    const registry = createRegistry({ store, apps: config.apps, systems: config.systems })
    if (kind === 'app' ? await registry.client(id) : await registry.system(id)) {
      throw new Refused(`${kind} ${id} is registered already`)
    }
    const trail = await openTrail({ store, clock: outside.clock })
    await trail.commit({
      record: [
        {
          what: 'configuration_changed',
          outcome: 'success',
          [kind]: id,
          detail: { added: kind, by: outside.env.USER ?? 'command line' },
        },
      ],
      puts: [{ kind, id, value: row, until: FOREVER }],
    })
    outside.say(`${kind} ${id} is registered; every node knows it at its next request.`)
  })
}

export const appAdd: Command = {
  name: 'app add',
  summary: 'register an app (an OAuth client)',
  help: `
Writes a registration to the store. Addresses are complete and compared character by character.

  launch-gateway app add --id my-app --type public --redirect https://app.example/ \\
    --launch-url https://app.example/launch.html --scope "launch openid fhirUser patient/*.rs"`,
  options: {
    id: { type: 'string', help: 'lower case letters, digits and hyphens' },
    name: { type: 'string', help: 'what people call it (default its id)' },
    type: { type: 'string', value: 'TYPE', help: 'public, or key (private_key_jwt)' },
    redirect: {
      type: 'string',
      multiple: true,
      value: 'URL',
      help: 'where codes may go, repeatable',
    },
    'launch-url': {
      type: 'string',
      multiple: true,
      value: 'URL',
      help: 'where it is started, repeatable',
    },
    scope: { type: 'string', value: '"…"', help: 'the most that it may ever be given' },
    'jwks-uri': {
      type: 'string',
      value: 'URL',
      help: 'with --type key: where its public keys are',
    },
    jwks: { type: 'string', value: 'FILE', help: 'with --type key: its public keys' },
    'id-token-algorithm': { type: 'string', value: 'ALG', help: 'RS256 (default) or ES256' },
    ...STORE_OPTIONS,
  },
  run: (outside, values) =>
    add(
      outside,
      values,
      'app',
      clientRow,
      filled({
        id: need(values, 'id'),
        name: text(values, 'name') ?? need(values, 'id'),
        type: need(values, 'type'),
        redirect_uris: texts(values, 'redirect'),
        launch_urls: texts(values, 'launch-url'),
        scopes: words(values, 'scope'),
        jwks_uri: text(values, 'jwks-uri'),
        jwks: fileOf(text(values, 'jwks')),
        id_token_algorithm: text(values, 'id-token-algorithm'),
      }),
    ),
}

export const systemAdd: Command = {
  name: 'system add',
  summary: 'register a launch system (a GP system or a desktop broker)',
  help: `
Writes a registration to the store. config/launch-systems.yaml explains every member.

  launch-gateway system add --id my-gp --name "My GP system" --rung pushed --jwks keys.json \\
    --sign-on launch --organizations "A83001 A83002" --apps care-plan --frame-ancestors https://gp.example`,
  options: {
    id: { type: 'string', help: 'also `iss` of its tokens, unless --issuer says otherwise' },
    name: { type: 'string', help: 'what people call it' },
    issuer: {
      type: 'string',
      value: 'TEXT',
      help: '`iss` of its tokens, or its FHIR base for rung redeemed',
    },
    rung: { type: 'string', help: 'redeemed, pushed, signed or sealed' },
    jwks: { type: 'string', value: 'FILE', help: 'its public keys' },
    'jwks-uri': { type: 'string', value: 'URL', help: 'where its public keys are' },
    algorithms: { type: 'string', value: '"…"', help: 'ES256 (default), ES384, RS384, EdDSA' },
    'sign-on': { type: 'string', value: 'HOW', help: 'launch or provider' },
    organizations: { type: 'string', value: '"…"', help: 'ODS codes, or *' },
    apps: { type: 'string', value: '"…"', help: 'apps that it may launch' },
    'frame-ancestors': { type: 'string', value: '"…"', help: 'origins that frame its launches' },
    claims: {
      type: 'string',
      value: 'FILE',
      help: 'JSON: our claim name → where it stands in its token',
    },
    'relay-client-id': { type: 'string', value: 'ID', help: 'rung redeemed: our client id there' },
    'relay-scope': { type: 'string', value: '"…"', help: 'rung redeemed: what we ask for there' },
    ...STORE_OPTIONS,
  },
  run(outside, values) {
    const client = text(values, 'relay-client-id')
    return add(
      outside,
      values,
      'system',
      launchSystemRow,
      filled({
        id: need(values, 'id'),
        name: need(values, 'name'),
        issuer: text(values, 'issuer'),
        rung: need(values, 'rung'),
        jwks: fileOf(text(values, 'jwks')),
        jwks_uri: text(values, 'jwks-uri'),
        algorithms: words(values, 'algorithms'),
        sign_on: need(values, 'sign-on'),
        organizations: words(values, 'organizations'),
        apps: words(values, 'apps'),
        frame_ancestors: words(values, 'frame-ancestors'),
        claims: fileOf(text(values, 'claims')),
        relay:
          client === undefined
            ? undefined
            : { client_id: client, scope: text(values, 'relay-scope') ?? 'launch openid' },
      }),
    )
  },
}

const row = (cells: readonly string[], widths: readonly number[]): string =>
  cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join('  ')
    .trimEnd()

export const appList: Command = {
  name: 'app list',
  summary: 'list registered apps',
  help: 'Those of the configuration and those that were added.\n\n  launch-gateway app list',
  options: STORE_OPTIONS,
  run: (outside, values) =>
    withStore(outside, values, async (store, config) => {
      for (const app of await createRegistry({
        store,
        apps: config.apps,
        systems: config.systems,
      }).clients()) {
        outside.say(row([app.id, app.type, app.redirectUris.join(' ')], [20, 8]))
      }
    }),
}

export const systemList: Command = {
  name: 'system list',
  summary: 'list registered launch systems',
  help: 'Those of the configuration and those that were added.\n\n  launch-gateway system list',
  options: STORE_OPTIONS,
  run: (outside, values) =>
    withStore(outside, values, async (store, config) => {
      for (const system of await createRegistry({
        store,
        apps: config.apps,
        systems: config.systems,
      }).systems()) {
        const { id, rung, signOn, organizations } = system
        outside.say(row([id, rung, `sign-on by ${signOn}`, organizations.join(' ')], [20, 9, 20]))
      }
    }),
}
