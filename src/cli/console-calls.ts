/** Calls of a running gateway's console, in the name of a member who lets this command in by their browser. @see RFC 8628 */
import { hostname } from 'node:os'
import { isObject, type Json } from '../core/json.js'
import {
  isOrigin,
  type Option,
  type Outside,
  Refused,
  text,
  Usage,
  type Values,
} from './command.js'
import { portOf } from './demo.js'

export const GATEWAY_OPTION: Readonly<Record<string, Option>> = {
  gateway: {
    type: 'string',
    value: 'URL',
    help: 'the gateway’s issuer (default the demonstration’s)',
  },
}

const API = '/console/api/v1'
/** How long one answer may take: a check of a thousand policies, with some to spare. In milliseconds. */
const PATIENCE = 120_000
const MOST_POLLS = 600

export interface Calls {
  /** @throws Refused with what the gateway says */
  call(line: string, body?: object): Promise<Json>
  /** The same, of something that is worked out: asked again until it is there. */
  worked(line: string): Promise<Json>
}

/** Nothing of an answer may move a terminal's cursor, or colour what stands on it. */
const harmless = (said: string): string => said.replace(/(?![\n\t])\p{Cc}/gu, '')

/** @throws Usage: a bearer does not travel in clear, but to this machine */
function gatewayOf(outside: Outside, values: Values): string {
  const gateway = text(values, 'gateway') ?? `http://localhost:${portOf(outside)}`
  if (!isOrigin(gateway))
    throw new Usage('--gateway: expected an origin such as https://launch.example.nhs.uk')
  const { protocol, hostname: host } = new URL(gateway)
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(host)
  if (protocol !== 'https:' && !isHere) throw new Usage('--gateway: expected https')
  return gateway
}

interface Reply {
  readonly status: number
  readonly json: Json
}

async function ask(gateway: string, line: string, body?: object, bearer?: string): Promise<Reply> {
  const [method = '', path = ''] = line.split(' ')
  try {
    const response = await fetch(`${gateway}${API}${path}`, {
      ...{ method, redirect: 'error', signal: AbortSignal.timeout(PATIENCE) },
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const json: unknown = JSON.parse(await response.text())
    return { status: response.status, json: isObject(json) ? json : {} }
  } catch (error) {
    const { cause, message } = error as Error
    throw new Refused(
      `${gateway} gave no answer: ${(cause as Error | undefined)?.message ?? message}`,
    )
  }
}

/** What a refusal says, each problem in a line of its own. */
function refusalIn({ json }: Reply): Refused {
  const { error_description: said, reference, problems } = json
  const lines = (Array.isArray(problems) ? problems : []).map(({ file, line, text: fault }) =>
    line === undefined ? `  ${file}: ${fault}` : `  ${file}:${line}: ${fault}`,
  )
  const at = reference === undefined ? '' : ` (${reference})`
  return new Refused(
    harmless([`${said ?? json.why ?? 'It was refused.'}${at}`, ...lines].join('\n')),
  )
}

/** Shows the code and waits until a member has said yes. @throws Refused */
async function signedIn(outside: Outside, gateway: string): Promise<string> {
  const client = `launch-gateway on ${hostname()}`
  const begun = await ask(gateway, 'POST /sign-in', { client })
  if (begun.status !== 200) throw refusalIn(begun)
  const { device_code, user_code, verification_uri, expires_in, interval } = begun.json
  // Whoever answers in the gateway's place must not send anybody anywhere else.
  if (!String(verification_uri).startsWith(`${gateway}/`))
    throw new Refused(`${gateway} names another place to sign in: is it the gateway’s issuer?`)
  outside.complain(
    harmless(`Open ${verification_uri}, sign in, and type ${user_code}. It waits ten minutes.`),
  )
  const until = outside.clock() + Number(expires_in) * 1000
  while (outside.clock() < until) {
    await outside.pause(Number(interval) * 1000)
    const reply = await ask(gateway, 'POST /sign-in/token', { device_code })
    if (reply.status === 200) return String(reply.json.access_token)
    if (!['authorization_pending', 'slow_down'].includes(String(reply.json.error)))
      throw refusalIn(reply)
  }
  throw new Refused('Nobody let this command in.')
}

/** Signs a member in, works in their name, and signs out again whatever came of it. @throws Usage, Refused */
export async function withConsole(
  outside: Outside,
  values: Values,
  work: (calls: Calls) => Promise<void>,
): Promise<void> {
  const gateway = gatewayOf(outside, values)
  const bearer = await signedIn(outside, gateway)
  const call = async (line: string, body?: object): Promise<Reply> => {
    const reply = await ask(gateway, line, body, bearer)
    if (reply.status >= 400) throw refusalIn(reply)
    return reply
  }
  try {
    await work({
      call: async (line, body) => (await call(line, body)).json,
      async worked(line) {
        for (let polls = 0; polls < MOST_POLLS; polls++) {
          const { status, json } = await call(line)
          if (status !== 202) return json.found as Json
          await outside.pause(1000)
        }
        throw new Refused('It took too long to work it out.')
      },
    })
  } finally {
    await ask(gateway, 'DELETE /session', undefined, bearer).catch(() => undefined)
  }
}
