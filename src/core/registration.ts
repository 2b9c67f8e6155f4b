/** Rows of `launch-systems.yaml`, and of systems added by command: read, checked, named our way. Apps are in client-registration.ts. */
import { z } from 'zod'
import { PURPOSES, SYSTEM_RUNGS } from './context.js'
import { SUPERSEDE_RULES } from './context-id.js'
import { STANDALONE } from './launch.js'
import { LAUNCH_ALGORITHMS, type LaunchSystem, OUTCOME_RULES } from './launch-system.js'

export const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower case letters, digits, hyphens')
const jwk = z.record(z.string(), z.unknown()).refine((key) => !('d' in key) && !('k' in key), {
  message: 'holds a private key: register the public part only',
})
export const jwks = z.object({ keys: z.array(jwk).min(1).max(20) })

const isLoopback = (url: URL): boolean =>
  url.hostname === '127.0.0.1' ||
  url.hostname === 'localhost' ||
  url.hostname.endsWith('.localhost')

/** An absolute address without fragment; https, but for loopback. Kept character by character as written. */
export const address = z.string().refine(
  (text) => {
    if (!URL.canParse(text) || text.includes('#')) return false
    const url = new URL(text)
    return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
  },
  { message: 'expected an absolute https address without a fragment (http only on loopback)' },
)
/** No pattern either: a browser would read `*` in `frame-ancestors` as any host. */
export const origin = address.refine(
  (text) => /^https?:\/\/[a-z0-9.-]+(:\d+)?$/.test(text) && new URL(text).origin === text,
  { message: 'expected an origin: scheme, host and port, nothing after' },
)

/** A document of styles; a new address whenever it changes. @see SMART App Launch 2.2, "smart_style_url" */
export const styleUrl = z
  .string()
  .max(500)
  .refine((text) => text.startsWith('https://') && URL.canParse(text), {
    message: 'expected an https address',
  })

export const keySource = (row: {
  jwks?: { keys: Record<string, unknown>[] } | undefined
  jwks_uri?: string | undefined
}) =>
  row.jwks ? { keys: { jwks: row.jwks } } : row.jwks_uri ? { keys: { jwksUri: row.jwks_uri } } : {}

const relayOf = ({
  relay,
}: {
  relay?: { client_id: string; scope: string; issuer?: string | undefined } | undefined
}) =>
  relay && {
    relay: {
      clientId: relay.client_id,
      scope: relay.scope,
      ...(relay.issuer === undefined ? {} : { issuer: relay.issuer }),
    },
  }

export const launchSystemRow = z
  .strictObject({
    id: id.refine((text) => text !== STANDALONE, 'is a word with a meaning of its own'),
    issuer: z.string().min(1).max(200).optional(),
    name: z.string().min(1).max(100),
    rung: z.enum(SYSTEM_RUNGS),
    jwks: jwks.optional(),
    jwks_uri: address.optional(),
    algorithms: z.array(z.enum(LAUNCH_ALGORITHMS)).min(1).default(['ES256']),
    seal_secret: z
      .string()
      .regex(/^LAUNCH_GATEWAY_[A-Z0-9_]+$/, 'expected the name of a LAUNCH_GATEWAY_… variable')
      .optional(),
    relay: z
      .strictObject({
        client_id: z.string().max(100),
        scope: z.string().max(500),
        issuer: address.optional(),
      })
      .optional(),
    sign_on: z.enum(['launch', 'provider']),
    organizations: z.array(z.string().regex(/^(\*|[A-Z0-9]{1,12})$/)).min(1),
    apps: z.array(id).min(1),
    purposes: z.array(z.enum(PURPOSES)).min(1).default(['direct-care']),
    default_purpose: z.enum(PURPOSES).default('direct-care'),
    frame_ancestors: z.array(origin).max(20).default([]),
    claims: z.record(z.string(), z.string().max(200)).default({}),
    style_url: styleUrl.optional(),
    supersede: z.enum(SUPERSEDE_RULES).default('never'),
    outcome: z.enum(OUTCOME_RULES).default('text'),
    max_lifetime: z.number().int().min(5).max(300).default(60),
  })
  .superRefine((row, context) => {
    const need = (fine: boolean, path: string, message: string) =>
      fine || context.addIssue({ code: 'custom', path: [path], message })
    const signs = row.rung === 'pushed' || row.rung === 'signed'
    need(
      !signs || row.jwks !== undefined || row.jwks_uri !== undefined,
      'jwks',
      `rung ${row.rung} needs jwks or jwks_uri`,
    )
    need(row.rung !== 'redeemed' || row.relay !== undefined, 'relay', 'rung redeemed needs relay')
    need(
      row.rung !== 'redeemed' || URL.canParse(row.issuer ?? ''),
      'issuer',
      'rung redeemed needs its FHIR base',
    )
    need(
      row.rung !== 'sealed' || row.sign_on === 'provider',
      'sign_on',
      'a sealed launch is only a hint: provider',
    )
  })
  .transform(
    (row): LaunchSystem => ({
      id: row.id,
      issuer: row.issuer ?? row.id,
      name: row.name,
      rung: row.rung,
      ...keySource(row),
      algorithms: row.algorithms,
      ...(row.seal_secret === undefined ? {} : { sealSecret: row.seal_secret }),
      ...relayOf(row),
      signOn: row.sign_on,
      organizations: row.organizations,
      apps: row.apps,
      purposes: row.purposes,
      frameAncestors: row.frame_ancestors,
      claims: row.claims,
      ...(row.style_url === undefined ? {} : { styleUrl: row.style_url }),
      supersede: row.supersede,
      outcome: row.outcome,
      maxLifetime: row.max_lifetime,
      defaultPurpose: row.default_purpose,
    }),
  )
