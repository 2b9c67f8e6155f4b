/**
 * The SMART client: fhirclient, given an environment in which nothing is shared or kept by chance. It
 * sees only the URL parameters that we pass on (it would let `clientId` and `patientId` of the URL
 * override ours), writes only to {@link pending.ts}, and holds its tokens in memory.
 */
import type Client from 'fhirclient/lib/Client.js'
import * as security from 'fhirclient/lib/security/browser.js'
import { authorize, fetchWellKnownJson, ready } from 'fhirclient/lib/smart.js'
import type { fhirclient } from 'fhirclient/lib/types.js'
import type { Definitions, Settings } from './definition.js'
import { type Pending, recall, remember } from './pending.js'

const SCOPE = [
  'launch openid fhirUser online_access patient/Patient.r',
  'patient/composition-care-plan::*.crus patient/aql-care-plan::sections.rs',
]
/** A plan is begun in the app only where the definitions say how it is listed. */
const listingScope = ({ listing }: Pick<Definitions, 'listing'>): string =>
  `patient/CarePlan.${listing ? 'crs' : 'rs'}`
/** What the sections take over of the GP record: each type that their definitions name. */
const adoptScopes = ({ sections }: Pick<Definitions, 'sections'>): readonly string[] =>
  [...new Set(sections.flatMap(({ adopt }) => adopt ?? []).map(({ of }) => of))].map(
    (type) => `patient/${type}.r`,
  )
const KEY_LETTERS = 32

export type { Client }

/** Why a launch came to nothing: each is a row of the table of pages in closed.ts. */
export class LaunchProblem extends Error {
  override readonly name = 'LaunchProblem'
  constructor(
    readonly why: 'not-launched' | 'foreign' | 'unreachable' | 'forgetful' | 'over' | 'denied',
    /** The gateway's own words, for the user. */
    readonly words = '',
  ) {
    super(why)
  }
}

/** An address without the parameters that brought the user here. */
export const appRoot = (): string => new URL('./', location.origin + location.pathname).href

const unsupported = (): never => {
  throw new Error('not used by this app')
}

function environment(url: string, storage: fhirclient.Storage): fhirclient.Adapter {
  return {
    options: {
      replaceBrowserHistory: false,
      fullSessionStorageSupport: false,
      refreshTokenWithCredentials: 'omit',
      refreshTokenWithClientId: true,
    },
    getUrl: () => new URL(url),
    // The launch page holds a spent handle in its address: the way back must not lead to it.
    redirect: (to) => location.replace(to),
    getStorage: () => storage,
    relative: (path) => new URL(path, appRoot()).href,
    security,
    btoa: (text) => window.btoa(text),
    atob: (text) => window.atob(text),
    base64urlencode: unsupported,
    base64urldecode: unsupported,
    getAbortController: () => AbortController,
    getSmartApi: unsupported,
  }
}

/** `code_challenge_methods_supported` and the openEHR services: what fhirclient's type leaves out. */
interface Discovery {
  readonly issuer?: string
  readonly token_endpoint?: string
  readonly code_challenge_methods_supported?: readonly string[]
  readonly services?: Readonly<Record<string, { readonly baseUrl?: string }>>
}

async function discover(iss: string): Promise<Omit<Pending, 'verifier'>> {
  const found = (await fetchWellKnownJson(iss).catch(() => {
    throw new LaunchProblem('unreachable')
  })) as unknown as Discovery
  const openEhr = found.services?.['org.openehr.rest']?.baseUrl ?? ''
  const { issuer = '', token_endpoint: tokenUri = '' } = found
  // Tokens go to these addresses: a document that points away from its own host is not believed.
  const own = [issuer, tokenUri, openEhr].every(
    (url) => URL.canParse(url) && new URL(url).origin === new URL(iss).origin,
  )
  if (!own || !found.code_challenge_methods_supported?.includes('S256')) {
    throw new LaunchProblem('unreachable')
  }
  return { iss, issuer, tokenUri, openEhr: openEhr.replace(/\/$/, '') }
}

function randomKey(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345'
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_LETTERS))
  return [...bytes].map((byte) => letters[byte % letters.length]).join('')
}

const only = (params: URLSearchParams, name: string): string =>
  params.getAll(name).length === 1 ? (params.get(name) ?? '') : ''

/**
 * From the EHR's `?iss=&launch=` to the gateway's authorize page.
 * @throws LaunchProblem
 * @see SMART App Launch 2.2, "Launch App: EHR Launch"
 */
export async function begin(
  url: URL,
  settings: Settings,
  definitions: Pick<Definitions, 'listing' | 'sections'>,
): Promise<void> {
  const [iss, launch] = [only(url.searchParams, 'iss'), only(url.searchParams, 'launch')]
  if (iss === '' || launch === '') throw new LaunchProblem('not-launched')
  // RFC 9207 §1: an app that believes any issuer can be made to hand its code to the wrong one.
  if (!settings.issuers.includes(iss)) throw new LaunchProblem('foreign')

  const known = await discover(iss)
  const stateKey = randomKey()
  const storage: fhirclient.Storage = {
    get: async () => undefined,
    unset: async () => false,
    set: async (key, state: { codeVerifier?: string }) => {
      if (key !== stateKey || state.codeVerifier === undefined) return state
      if (remember(key, { ...known, verifier: state.codeVerifier })) return state
      throw new LaunchProblem('forgetful')
    },
  }
  const asked = new URLSearchParams({ iss, launch })
  await authorize(environment(`${appRoot()}?${asked}`, storage), {
    clientId: settings.clientId,
    scope: [...SCOPE, listingScope(definitions), ...adoptScopes(definitions)].join(' '),
    redirectUri: appRoot(),
    completeInTarget: true,
    pkceMode: 'required',
    stateKey,
  })
}

export interface Landed {
  readonly client: Client
  readonly pending: Pending
}

function checkAnswer(params: URLSearchParams, pending: Pending): void {
  if (only(params, 'iss') !== pending.issuer) throw new LaunchProblem('foreign')
  const [error, words] = [params.get('error'), params.get('error_description') ?? '']
  if (error === 'temporarily_unavailable' || error === 'server_error') {
    throw new LaunchProblem('unreachable', words)
  }
  if (error !== null) throw new LaunchProblem('denied', words)
  if (only(params, 'code') === '') throw new LaunchProblem('over')
}

/**
 * From the gateway's `?code=&state=` to a client with tokens.
 *
 * @param url the address that the browser landed on; the caller has already cleaned the address bar
 * @throws LaunchProblem
 * @see SMART App Launch 2.2, "Obtain access token"; RFC 9207 §2.4
 */
export async function finish(url: URL, settings: Settings): Promise<Landed> {
  const state = only(url.searchParams, 'state')
  const pending = recall(state)
  if (!pending) throw new LaunchProblem('over')
  if (!settings.issuers.includes(pending.iss)) throw new LaunchProblem('foreign')
  checkAnswer(url.searchParams, pending)

  const { iss: serverUrl, tokenUri, verifier: codeVerifier } = pending
  const held: Record<string, unknown> = {
    [state]: {
      clientId: settings.clientId,
      redirectUri: appRoot(),
      completeInTarget: true,
      tokenResponse: {},
      key: state,
      serverUrl,
      tokenUri,
      codeVerifier,
    },
  }
  const storage: fhirclient.Storage = {
    get: async (key) => held[key],
    unset: async (key) => delete held[key],
    set: async (_, value) => value,
  }
  const code = encodeURIComponent(only(url.searchParams, 'code'))
  const answer = `${appRoot()}?code=${code}&state=${state}`
  const client = await ready(environment(answer, storage)).catch((error: unknown) => {
    const status = (error as { status?: number }).status ?? 0
    throw new LaunchProblem(status >= 400 && status < 500 ? 'over' : 'unreachable')
  })
  if (!client.patient.id) throw new LaunchProblem('over')
  return { client, pending }
}
