/** The servers of the record behind us, as the configuration names them: the region's, and those of tenants. */
import { z } from 'zod'
import { address } from './registration.js'
import { storedQueryRow } from './stored-query.js'

/** A server of the record behind us: where it is, and how we prove there who we are. */
const upstream = {
  base: address,
  timeout_ms: z.number().int().min(100).max(30_000).default(5_000),
  authenticate: z
    .strictObject({
      token_endpoint: address,
      client_id: z.string().min(1).max(300),
      scope: z.string().max(2_000).optional(),
    })
    .optional(),
  tls: z
    .strictObject({
      ca: z.string().optional(),
      cert: z.string().optional(),
      key: z.string().optional(),
    })
    .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
      message: 'cert and key go together',
    })
    .optional(),
}

const openehr = {
  ...upstream,
  subject_namespace: z.string().min(1),
  if_match: z.enum(['quoted', 'bare']).default('quoted'),
}

/** Part of the region with a record of its own: whose launches go there. */
const tenant = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,39}$/, 'expected lower case letters, digits, hyphens'),
    organizations: z
      .array(z.string().regex(/^[A-Z0-9]{1,12}$/, 'expected an ODS code'))
      .max(10_000)
      .default([]),
    regions: z.array(z.string().min(1).max(40)).max(100).default([]),
    fhir: z.strictObject(upstream),
    openehr: z.strictObject(openehr),
  })
  .refine(({ organizations, regions }) => organizations.length + regions.length > 0, {
    message: 'needs organizations or regions: whose record it is',
  })

const twiceIn = (all: readonly string[]): readonly string[] => [
  ...new Set(all.filter((one, i) => all.indexOf(one) < i)),
]

const tenants = z
  .array(tenant)
  .max(50)
  .superRefine((rows, context) => {
    const twice = [
      ...twiceIn(rows.map(({ name }) => `name ${name}`)),
      ...twiceIn(rows.flatMap((row) => row.organizations.map((code) => `organisation ${code}`))),
      ...twiceIn(rows.flatMap((row) => row.regions.map((region) => `region ${region}`))),
    ]
    for (const what of twice) context.addIssue({ code: 'custom', message: `${what} stands twice` })
  })
  .default([])

export const upstreams = z.strictObject({
  fhir: z.strictObject(upstream),
  openehr: z.strictObject({
    ...openehr,
    ad_hoc_aql: z.boolean().default(false),
    queries: z
      .array(storedQueryRow)
      .max(100)
      .refine((rows) => new Set(rows.map(({ name }) => name)).size === rows.length, {
        message: 'holds a name twice',
      })
      .default([]),
  }),
  tenants,
})
