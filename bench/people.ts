/** Who is in a run: synthetic patients, one clinician, the apps and the launch system. */
import type { Client } from '../src/core/client.js'

/** How the gateway's id_token is signed is the app's registration: so there is an app for each. */
export const ALGORITHMS = ['ES256', 'RS256'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** `plain`: a public app. `strict`: it pushes its requests, proves itself by a key, binds its tokens and renews them once. */
export const KINDS = ['plain', 'strict'] as const
export type Kind = (typeof KINDS)[number]

export const ISSUER = 'https://gateway.example'
/** What oidc-provider calls itself. */
export const PEER_ISSUER = 'http://127.0.0.1'
export const SYSTEM = 'bench-gp'
export const appOf = (algorithm: Algorithm, kind: Kind = 'plain'): string =>
  `care-plan-${kind}-${algorithm.toLowerCase()}`
export const APP_ORIGIN = 'https://care-plan.example'
export const REDIRECT = `${APP_ORIGIN}/`

/** What the care-plan app asks for. */
export const SCOPES = [
  'launch',
  'openid',
  'fhirUser',
  'online_access',
  'patient/Patient.r',
  'patient/CarePlan.crs',
  'patient/composition-care-plan::*.crus',
  'patient/aql-care-plan::sections.rs',
]

const appRow = (algorithm: Algorithm, kind: Kind): Client => ({
  id: appOf(algorithm, kind),
  name: 'Shared care plan',
  profile: 'smart',
  type: 'public',
  assertionAlgorithms: [],
  grantTypes: ['authorization_code', 'refresh_token'],
  pushed: false,
  redirectUris: [REDIRECT],
  launchUrls: [`${APP_ORIGIN}/launch.html`],
  scopes: SCOPES,
  idTokenAlgorithm: algorithm,
  origins: [APP_ORIGIN],
})

/** An app that reads and does nothing else: what a judged read costs. */
export const READER = 'reader'
const readerRow: Client = {
  ...{ ...appRow('ES256', 'plain'), id: READER, name: 'Reader' },
  scopes: [
    'launch',
    'openid',
    'patient/Condition.rs',
    'patient/composition-care-plan::*.r',
    'patient/aql-care-plan::sections.rs',
  ],
}

/** @param jwk the public key of those that have one */
export const appsWith = (jwk: Readonly<Record<string, unknown>>): readonly Client[] => [
  readerRow,
  ...ALGORITHMS.flatMap((algorithm) => [
    appRow(algorithm, 'plain'),
    {
      ...appRow(algorithm, 'strict'),
      ...{ type: 'key', keys: { jwks: { keys: [jwk] } }, assertionAlgorithms: ['ES256'] },
    } satisfies Client,
  ]),
]

export interface BenchPatient {
  readonly nhsNumber: string
  readonly birthDate: string
  readonly fhirId: string
  readonly ehrId: string
}

/** Of the range that is never given to a person; `undefined` where no check digit fits. */
function nhsNumber(index: number): string | undefined {
  const nine = `999${String(index).padStart(6, '0')}`
  const sum = [...nine].reduce((total, digit, place) => total + Number(digit) * (10 - place), 0)
  const check = (11 - (sum % 11)) % 11
  return check === 10 ? undefined : `${nine}${check}`
}

const MOST_PATIENTS = 1000
const FIRST = 100_000

export const PATIENTS: readonly BenchPatient[] = Array.from(
  { length: MOST_PATIENTS },
  (_, index) => {
    const number = nhsNumber(FIRST + index)
    const tail = String(index).padStart(12, '0')
    return number === undefined
      ? []
      : [
          {
            nhsNumber: number,
            birthDate: `19${30 + (index % 60)}-0${1 + (index % 9)}-1${index % 10}`,
            fhirId: String(50_000 + index),
            ehrId: `7d44b88c-4199-4bad-97dc-${tail}`,
          },
        ]
  },
).flat()
