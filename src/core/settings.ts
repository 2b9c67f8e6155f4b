/** The configuration's own file, as a schema: names, defaults and bounds. */
import { z } from 'zod'
import { ASSERTION_ALGORITHMS, PROFILE_NAMES } from './client-profile.js'
import { LIMIT_NAMES, LIMITS, type LimitName } from './rates.js'
import { address, jwks, styleUrl } from './registration.js'
import { upstreams } from './settings-upstreams.js'

const lifetime = (standard: number, most: number) =>
  z.number().int().min(1).max(most).default(standard)

const listen = z.strictObject({ host: z.string(), port: z.number().int().min(0).max(65535) })
const tls = z.strictObject({ cert: z.string(), key: z.string() })
/** A host by its name, an address, or a range of addresses (CIDR). */
const reachable = z.union(
  [
    z.ipv4(),
    z.ipv6(),
    z.cidrv4(),
    z.cidrv6(),
    z
      .string()
      .regex(/^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?$/),
  ],
  { message: 'expected a host name in small letters, an address or a range such as 10.20.0.0/16' },
)
/** Headers in which a proxy may tell us a client's certificate, and nothing else can. */
export const CERTIFICATE_HEADERS = ['client-cert', 'x-ssl-client-cert'] as const

/** Clients known by certificate (RFC 8705): on a listener of our own, by a proxy's header, or both. */
const mutualTls = z
  .strictObject({
    listen: listen.optional(),
    tls: tls.optional(),
    ca: z.string().optional(),
    alias: z
      .string()
      .max(300)
      .refine(
        (text) =>
          text.startsWith('https://') && URL.canParse(text) && new URL(text).origin === text,
        { message: 'expected an https origin without a trailing slash' },
      ),
    header: z.enum(CERTIFICATE_HEADERS).optional(),
    verify_header: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/, 'expected a header’s name in lower case')
      .optional(),
  })
  .superRefine(({ listen, tls, ca, header, verify_header }, context) => {
    const need = (fine: boolean, path: string, message: string) =>
      fine || context.addIssue({ code: 'custom', path: [path], message })
    need(listen !== undefined || header !== undefined, 'listen', 'needs this, or header, or both')
    need(listen !== undefined || (tls ?? ca) === undefined, 'listen', 'tls and ca are for it')
    need(header !== undefined || verify_header === undefined, 'header', 'verify_header needs it')
    need(header !== verify_header || !header, 'verify_header', 'is the certificate’s own header')
  })
const rate = (standard: number) =>
  z.union([z.number().int().min(1).max(1_000_000_000), z.literal('off')]).default(standard)
type Rate = ReturnType<typeof rate>
const rates = z.strictObject(
  Object.fromEntries(LIMIT_NAMES.map((name) => [name, rate(LIMITS[name].points)])) as Record<
    LimitName,
    Rate
  >,
)

const statementIssuer = z
  .strictObject({
    issuer: z.string().min(1).max(300),
    jwks: jwks.optional(),
    jwks_uri: address.optional(),
    algorithms: z.array(z.enum(ASSERTION_ALGORITHMS)).min(1).default(['ES256', 'ES384', 'RS384']),
  })
  .refine((row) => (row.jwks === undefined) !== (row.jwks_uri === undefined), {
    message: 'needs jwks or jwks_uri, and not both',
  })

/** Apps that register themselves (RFC 7591): by whose leave, and how far. */
const registration = z
  .strictObject({
    by: z.enum(['off', 'initial-token', 'software-statement']).default('off'),
    profile: z.enum(PROFILE_NAMES).default('smart'),
    scopes: z.array(z.string().max(300)).max(100).default([]),
    most: z.number().int().min(1).max(1000).default(100),
    issuers: z.array(statementIssuer).max(20).default([]),
  })
  .superRefine(({ by, scopes, issuers }, context) => {
    const need = (fine: boolean, path: string, message: string) =>
      fine || context.addIssue({ code: 'custom', path: [path], message })
    need(by === 'off' || scopes.length > 0, 'scopes', 'say how far apps may register')
    need(by !== 'software-statement' || issuers.length > 0, 'issuers', 'by statements of whom')
  })

/** `gateway.yaml`: config/gateway.yaml says what each key means. */
export const gatewayFile = z.strictObject({
  issuer: address.refine((text) => URL.canParse(text) && new URL(text).origin === text, {
    message: 'expected an origin without a trailing slash (RFC 8414 §2)',
  }),
  listen,
  tls: tls.optional(),
  mtls: mutualTls.optional(),
  operations: z.strictObject({ listen }).optional(),
  trust_proxy: z.array(z.string()).default([]),
  data_dir: z.string(),
  store: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('embedded') }),
    z.strictObject({
      kind: z.literal('redis'),
      url: z
        .string()
        .regex(/^rediss?:\/\//)
        .optional(),
      replicas: z.number().int().min(0).max(5).default(0),
    }),
  ]),
  lifetimes: z
    .strictObject({
      link: lifetime(60, 300),
      handle: lifetime(60, 300),
      pending: lifetime(600, 1800),
      code: lifetime(60, 600),
      pushed: lifetime(90, 600),
      offline: lifetime(2_592_000, 31_536_000),
      access_token: lifetime(300, 600),
      session_idle: lifetime(900, 3600),
      session: lifetime(43_200, 43_200),
      emergency: z.number().int().min(60).max(14_400).default(3_600),
      outcome: lifetime(86_400, 604_800),
    })
    .prefault({}),
  keys: z
    .strictObject({
      rotate_days: z.number().int().min(0).max(3650).default(90),
      publish_ahead_hours: z.number().int().min(1).max(168).default(24),
    })
    .prefault({}),
  questions: z.strictObject({ keep_days: z.number().int().min(0).max(90).default(7) }).prefault({}),
  registration: registration.prefault({}),
  emergency: z
    .strictObject({
      keep_days: z.number().int().min(0).max(36_500).default(2_557),
      alert_uri: address.optional(),
    })
    .prefault({}),
  limits: z
    .strictObject({
      skew: z.number().int().min(0).max(60).default(30),
      rates: rates.prefault({}),
    })
    .prefault({}),
  upstreams,
  outbound: z.strictObject({ allow: z.array(reachable).max(200).default([]) }).prefault({}),
  identity: z.strictObject({
    clinician: z.strictObject({
      issuer: address,
      client_id: z.string().min(1),
      scope: z.string().default('openid profile nationalrbacaccess selectedrole associatedorgs'),
      acr_values: z
        .strictObject({ aal2: z.string(), aal3: z.string() })
        .default({ aal2: 'AAL2_OR_AAL3_ANY', aal3: 'AAL3_ANY' }),
      max_age: lifetime(43_200, 43_200),
    }),
  }),
  pages: z.strictObject({
    emergency_text: z.string().min(1).max(500),
    support: z.string().min(1).max(500),
    style_url: styleUrl.optional(),
  }),
  policies: z.string().default('policies'),
  roles: z.string().default('roles.yaml'),
  console: z.string().default('console.yaml'),
  organizations: z.string().default('organizations.yaml'),
  plan: z.string().default('plan/sections.yaml'),
})

export type GatewayFile = z.infer<typeof gatewayFile>
