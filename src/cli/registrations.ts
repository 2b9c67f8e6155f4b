/** Registering launch systems, and what registering apps shares with it. */
import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { createRegistry } from '../access/registry.js'
import { openTrail } from '../audit/trail.js'
import { launchSystemRow } from '../core/registration.js'
import { type Command, need, type Outside, Refused, text, Usage, type Values } from './command.js'
import { unfit } from './rows.js'
import { STORE_OPTIONS, withStore } from './with-store.js'

const FOREVER = Date.UTC(9999, 0)

/** JSON of a file. @throws Usage */
export function fileOf(path: string | undefined): Record<string, unknown> | undefined {
  if (path === undefined) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  } catch (error) {
    throw new Usage(`${path}: ${(error as Error).message}`)
  }
}

/** Empty members are left out, so that the row's own defaults and messages speak. */
export const filled = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).filter(([, v]) => v !== undefined && !(Array.isArray(v) && v.length === 0)),
  )

export const words = (values: Values, name: string): string[] | undefined =>
  text(values, name)
    ?.split(/[\s,]+/)
    .filter(Boolean)

/** Adds a row that does not stand yet; who, when and what are in the trail. */
export async function add(
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
  // The demonstration registers what it likes; a configuration's store is for real patients.
  const problems = text(values, 'config') === undefined ? [] : unfit(kind, row)
  if (problems.length > 0) throw new Refused(problems.join('\n'))
  await withStore(outside, values, async (store, config) => {
    const { apps, systems } = config
    const registry = createRegistry({ store, apps, systems, clock: outside.clock })
    if (kind === 'app' ? await registry.client(id) : await registry.system(id)) {
      throw new Refused(`${kind} ${id} is registered already`)
    }
    const twin = kind === 'system' && (await registry.systemOf(String(row.issuer ?? id)))
    if (twin) throw new Refused(`launch system ${twin.id} has the issuer ${twin.issuer} already`)
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
    'style-url': { type: 'string', value: 'URL', help: 'its styles, for apps that it embeds' },
    supersede: {
      type: 'string',
      value: 'RULE',
      help: 'when a later launch closes an earlier one to writing: never (default), other-patient, always',
    },
    outcome: {
      type: 'string',
      value: 'RULE',
      help: 'what it is told of what was written: text (default), changes, never',
    },
    'frame-ancestors': { type: 'string', value: '"…"', help: 'origins that frame its launches' },
    claims: {
      type: 'string',
      value: 'FILE',
      help: 'JSON: our claim name → where it stands in its token',
    },
    'relay-client-id': { type: 'string', value: 'ID', help: 'rung redeemed: our client id there' },
    'relay-issuer': {
      type: 'string',
      value: 'URL',
      help: 'rung redeemed: what its server calls itself (default its FHIR base)',
    },
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
        style_url: text(values, 'style-url'),
        supersede: text(values, 'supersede'),
        outcome: text(values, 'outcome'),
        claims: fileOf(text(values, 'claims')),
        relay:
          client === undefined
            ? undefined
            : filled({
                client_id: client,
                scope: text(values, 'relay-scope') ?? 'launch openid',
                issuer: text(values, 'relay-issuer'),
              }),
      }),
    )
  },
}

/** A line of a list, its cells side by side. */
export const row = (cells: readonly string[], widths: readonly number[]): string =>
  cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join('  ')
    .trimEnd()

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
        clock: outside.clock,
      }).systems()) {
        const { id, rung, signOn, organizations } = system
        outside.say(row([id, rung, `sign-on by ${signOn}`, organizations.join(' ')], [20, 9, 20]))
      }
    }),
}
