/**
 * Calls to the gateway with the token that fhirclient holds. The calls are our own `fetch`, because
 * fhirclient's `request` throws the body of a refusal away, and with it the reference that the user
 * needs; and because it forgets the refresh token when a renewal merely met a broken network.
 */
import type { Landed } from './smart.js'
import { apart, oneLine } from './text.js'

/**
 * `unfit`: it was not even asked, because what was to be sent would not have said what it should. `superseded`: the
 * chart that this was opened from has moved on. `unlisted`: what was to be saved was not even sent, because the plan
 * that it begins could not be listed.
 */
// biome-ignore format: one line
export type Why = 'unreachable' | 'ended' | 'refused' | 'absent' | 'stale' | 'superseded' | 'unfit' | 'unlisted' | 'failed'

const WHY: Readonly<Record<number, Why>> = {
  401: 'ended',
  403: 'refused',
  404: 'absent',
  410: 'absent',
  409: 'stale',
  412: 'stale',
}
/** The gateway's words for a write from a page that the chart has left. */
const CONTEXTS: readonly string[] = ['context_superseded', 'context_other']
const PATIENCE = 20_000
const EARLY_SECONDS = 30
/**
 * A renewal whose answer is lost may have been done: the gateway then takes the same refresh token again, but
 * for a minute only. So it is asked again at once, and each time is short.
 */
const RENEWAL_PATIENCE = 10_000
const RENEWAL_PAUSES = [0, 1_000, 4_000]

/**
 * A call that did not give what it asked for. `words` and `reference` are the gateway's, if it spoke.
 * `unsettled`: a write was sent and may have been done. `also`: what else there is to know.
 */
export class CallFailed extends Error {
  override readonly name = 'CallFailed'
  constructor(
    readonly why: Why,
    readonly words = '',
    readonly reference = '',
    readonly unsettled = false,
    readonly also = '',
  ) {
    super(why)
  }
}

export interface Answer {
  readonly status: number
  readonly json: unknown
  readonly version: string | undefined
}

interface RefusalBody {
  readonly error?: unknown
  readonly error_description?: unknown
  readonly reference?: unknown
  readonly issue?: readonly { readonly diagnostics?: unknown }[]
}

/** The gateway's refusal: JSON of its own, or an OperationOutcome on the FHIR paths. */
async function failureOf(response: Response, writes: boolean): Promise<CallFailed> {
  const body = (await response.json().catch(() => null)) as RefusalBody | null
  const { words, reference: told } = apart(body?.error_description ?? body?.issue?.[0]?.diagnostics)
  const reference =
    oneLine(body?.reference) || told || oneLine(response.headers.get('x-request-id'))
  const { status } = response
  const unsettled = writes && (status >= 500 || status === 408)
  const left = CONTEXTS.includes(String(body?.error))
  return new CallFailed(
    left ? 'superseded' : (WHY[status] ?? 'failed'),
    words,
    reference,
    unsettled,
  )
}

/** The version that an ETag names: `"uid"` or `W/"uid"`. */
const versionOf = (etag: string | null): string | undefined =>
  etag?.replace(/^W\//, '').replace(/^"|"$/g, '') || undefined

export type Renewal = 'renewed' | 'ended' | 'unreachable'

export class Connection {
  readonly fhir: string
  readonly openEhr: string
  readonly patient: string
  #client: Landed['client'] | undefined
  #renewing: Promise<Renewal> | undefined
  readonly #answered: () => void

  /** @param answered is told of each answer of the gateway that was not a refusal of the token */
  constructor({ client, pending }: Landed, answered: () => void) {
    this.#client = client
    this.#answered = answered
    this.fhir = pending.iss
    this.openEhr = pending.openEhr
    this.patient = client.patient.id ?? ''
  }

  /** A member of the latest token response. */
  token(member: string): unknown {
    const response = this.#client?.state.tokenResponse as Record<string, unknown> | undefined
    return response?.[member]
  }

  /** Forgets the tokens. Every later call fails as `ended`. */
  close(): void {
    if (this.#client) this.#client.state.tokenResponse = {}
    this.#client = undefined
  }

  /** Tells the gateway that the user is still there, and takes a new access token. */
  renew(): Promise<Renewal> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #renew(): Promise<Renewal> {
    let renewal: Renewal = 'unreachable'
    for (const pause of RENEWAL_PAUSES) {
      await new Promise((resolve) => setTimeout(resolve, pause))
      renewal = await this.#renewOnce()
      if (renewal !== 'unreachable') break
    }
    return renewal
  }

  async #renewOnce(): Promise<Renewal> {
    const client = this.#client
    const kept = this.token('refresh_token')
    if (!client || typeof kept !== 'string') return 'ended'
    try {
      await client.refresh({ signal: AbortSignal.timeout(RENEWAL_PATIENCE) })
    } catch (error) {
      const status = (error as { status?: number }).status ?? 0
      if (status >= 400 && status < 500 && status !== 429) return 'ended'
      // fhirclient has dropped it; the gateway still takes it.
      Object.assign(client.state.tokenResponse ?? {}, { refresh_token: kept })
      return 'unreachable'
    }
    if (this.token('patient') !== this.patient) return 'ended'
    this.#answered()
    return 'renewed'
  }

  async #authorization(): Promise<string> {
    const expires = this.#client?.state.expiresAt ?? 0
    if (this.token('refresh_token') && expires - EARLY_SECONDS < Date.now() / 1000) {
      const renewal = await this.renew()
      if (renewal === 'ended') throw new CallFailed('ended')
      // A token that is known to be over would be refused, and a session that lives be taken for ended.
      if (renewal === 'unreachable' && expires < Date.now() / 1000)
        throw new CallFailed('unreachable')
    }
    const header = this.#client?.getAuthorizationHeader()
    if (!header) throw new CallFailed('ended')
    return header
  }

  /**
   * One call. Only to the bases that the launch gave: a token must not follow an address out of a body.
   * @throws CallFailed
   */
  async call(url: string, init: RequestInit = {}): Promise<Answer> {
    const within = [this.fhir, this.openEhr].some((base) => url.startsWith(`${base}/`))
    if (!within) throw new CallFailed('failed')
    const authorization = await this.#authorization()
    const writes = init.method !== undefined && init.method !== 'GET'
    const lost = () => {
      throw new CallFailed('unreachable', '', '', writes)
    }
    // Each write says for which launch it was made: the gateway knows whether the chart is still there.
    const context = writes ? { 'launch-context': String(this.token('__context')) } : {}
    const response = await fetch(url, {
      ...init,
      headers: { accept: 'application/json', ...init.headers, ...context, authorization },
      mode: 'cors',
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE),
    }).catch(lost)
    if (!response.ok) throw await failureOf(response, writes)
    this.#answered()
    const text = await response.text().catch(lost)
    try {
      const json: unknown = text === '' ? undefined : JSON.parse(text)
      const { status, headers } = response
      return { status, json, version: versionOf(headers.get('etag')) }
    } catch {
      throw new CallFailed('failed', '', '', writes)
    }
  }
}

/** Nobody has answered, or only that they cannot now: nothing is known that was not known before. */
export const isSilence = (failure: CallFailed | undefined): boolean =>
  failure?.why === 'unreachable' || failure?.why === 'failed'

export const grantedTo = (connection: Connection): string => String(connection.token('scope') ?? '')

export function launchOf(connection: Connection): string | undefined {
  const launch = connection.token('__launch')
  return typeof launch === 'string' ? launch : undefined
}

export function mustMark(connection: Connection): boolean {
  const obligations = connection.token('__obligations')
  return Array.isArray(obligations) && obligations.includes('mark-sensitive')
}
