/** What a launch hands over: from the demonstration's own systems, or from any system by its private key. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { importJWK, type JWK } from 'jose'
import { parse } from 'yaml'
import { readBirthDate, readNhsNumber } from '../core/nhs-number.js'
import { chartOf } from '../demo/desktop-chart.js'
import { type Delivered, deliver, GatewayUnreachable } from '../demo/desktop-delivery.js'
import { FAULTS, faultsOf, isFault } from '../demo/desktop-faults.js'
import {
  ASSERTION_TYPE,
  buildAssertion,
  buildLaunchToken,
  type Launch,
  type LaunchingUser,
} from '../demo/desktop-launches.js'
import { demoSystems, PORTRAITS, SYSTEM_IDS, type SystemId } from '../demo/desktop-systems.js'
import { everyone } from '../demo/population/population.js'
import { need, type Outside, Refused, text, texts, Usage, type Values } from './command.js'

const FIRST_PATIENT = '9990000018'
const ANSWER_MS = 10_000

/** A post that is answered, or a line that says who does not answer. */
async function post(url: string, init: RequestInit): Promise<Response> {
  const signal = AbortSignal.timeout(ANSWER_MS)
  return await fetch(url, { ...init, method: 'POST', redirect: 'manual', signal }).catch(() => {
    throw noAnswer(new URL(url).origin)
  })
}

const noAnswer = (origin: string): Refused =>
  new Refused(`No answer from ${origin}: is it running? (\`npm start\` starts the demonstration)`)

/** From standard input rather than as an argument: other users of the machine can read arguments. */
async function nhsNumberOf(outside: Outside, values: Values, fallback?: string): Promise<string> {
  const given = text(values, 'patient') ?? ((await outside.input()).trim() || fallback)
  if (given === undefined || given === '')
    throw new Usage('the NHS number is missing: write it to standard input')
  // A fault may ask for a number that is none; what is not even digits is a slip.
  if (!/^[\d\s-]{10,14}$/.test(given)) throw new Usage('the NHS number is ten digits')
  return readNhsNumber(given) ?? given.replace(/\D/g, '')
}

function birthDateOf(values: Values): string | undefined {
  const given = text(values, 'birth-date')
  if (given !== undefined && !readBirthDate(given)) throw new Usage('--birth-date is YYYY-MM-DD')
  return given
}

async function demoUser(outside: Outside, id: string): Promise<LaunchingUser> {
  const file = await readFile(join(outside.root, 'config/demo/people.yaml'), 'utf8').catch(() => {
    throw new Refused('There is no demonstration in this installation: give the system’s --key.')
  })
  const { users } = parse(file) as { users: readonly LaunchingUser[] }
  const user = users.find((candidate) => candidate.id === id)
  if (!user) throw new Usage(`--user is one of ${users.map((u) => u.id).join(', ')}`)
  return user
}

function faultOf(values: Values, system: SystemId) {
  const fault = text(values, 'fault')
  if (fault === undefined) return {}
  const names = faultsOf(PORTRAITS[system].rung)
  if (!isFault(fault) || !names.includes(fault)) {
    throw new Usage(
      `--fault is one of ${names.map((name) => `\n  ${name.padEnd(20)} ${FAULTS[name].does}`).join('')}`,
    )
  }
  return { fault }
}

/** The launch of a demonstration system, with its own key. */
export async function demoDelivery(
  outside: Outside,
  values: Values,
  gateway: string,
): Promise<Delivered> {
  const system = SYSTEM_IDS.find((id) => id === need(values, 'system'))
  if (!system) throw new Usage(`--system is one of ${SYSTEM_IDS.join(', ')}; any other needs --key`)
  const user = await demoUser(outside, need(values, 'user'))
  const nhsNumber = await nhsNumberOf(outside, values, FIRST_PATIENT)
  const place = everyone().findIndex((patient) => patient.nhsNumber === nhsNumber)
  const known = everyone()[place]
  const birthDate = birthDateOf(values) ?? known?.gpBirthDate ?? known?.birthDate
  if (birthDate === undefined)
    throw new Usage('--birth-date is missing: the demonstration does not know this patient')
  const { protocol, hostname, port } = new URL(gateway)
  const desktop = `http://127.0.0.1:${Number(port || 443) + 1}`
  if (system === 'gp-smart') {
    const chart = known && chartOf(known, place).chart
    return await askDesktop(desktop, {
      system,
      user: user.id,
      patient: chart,
      ...faultOf(values, system),
    })
  }
  const systems = await demoSystems(resolve(text(values, 'data') ?? join(outside.root, '.data')))
  const launch: Launch = {
    system: {
      ...{
        id: system,
        rung: PORTRAITS[system].rung,
        key: systems[system].key,
        claims: PORTRAITS[system].claims,
      },
      otherKey: systems[system === 'gp-push' ? 'gp-post' : 'gp-push'].key,
    },
    ...{ user, patient: { nhsNumber, birthDate }, app: need(values, 'app'), gateway },
    ...{ clock: outside.clock, random: outside.random },
    ...faultOf(values, system),
  }
  const app = `${protocol}//app.${hostname}:${Number(port || 443) + 3}`
  const parts = { desktop, gateway, app, smart: undefined as never, fetch }
  return await deliver(parts, system, launch, '').then(
    ({ delivered }) => delivered,
    (error: unknown) => {
      throw error instanceof GatewayUnreachable ? noAnswer(gateway) : error
    },
  )
}

/** The handle of an inbound SMART launch lives in the GP system: the running desktop makes it. */
async function askDesktop(desktop: string, order: object): Promise<Delivered> {
  const response = await post(`${desktop}/api/launch`, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  })
  if (!response.ok)
    throw new Refused(
      `The demonstration's desktop answered ${response.status}: ${await response.text()}`,
    )
  return (await response.json()) as Delivered
}

/** The private key of a system. @throws Usage for a file that holds none */
async function keyOf(file: string): Promise<JWK> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Usage(`--key: there is no file ${file}`)
  })
  try {
    const key = JSON.parse(text) as JWK
    if (typeof key.kid !== 'string') throw new Error('it needs a kid')
    const jwk = { alg: 'ES256', ...key }
    if (jwk.d === undefined) throw new Error('it has no private part')
    await importJWK(jwk)
    return jwk
  } catch (error) {
    // A parser's message quotes what it read, and that is a private key.
    const why = error instanceof SyntaxError ? 'not JSON' : (error as Error).message
    throw new Usage(`--key: ${file} holds no private JWK that can sign: ${why}`)
  }
}

/** A launch of any registered system, by the private key that its owner holds. */
export async function ownDelivery(
  outside: Outside,
  values: Values,
  gateway: string,
  file: string,
): Promise<Delivered> {
  const key = await keyOf(file)
  // Invented people may stand among the arguments; others may not: any user of the machine reads those.
  if (text(values, 'patient') !== undefined)
    throw new Usage('with --key, the NHS number goes to standard input')
  const birthDate = birthDateOf(values)
  if (birthDate === undefined) throw new Usage('--birth-date is missing')
  const rung = text(values, 'rung') ?? 'pushed'
  if (rung !== 'pushed' && rung !== 'signed') throw new Usage('--rung is pushed or signed')
  const launch: Launch = {
    system: { id: need(values, 'system'), rung, key },
    user: {
      id: need(values, 'user'),
      name: text(values, 'name') ?? need(values, 'user'),
      uid: text(values, 'sds-user-id') ?? '',
      role_profile: text(values, 'sds-role-profile-id') ?? '',
      role_code: text(values, 'role-code') ?? '',
      activities: texts(values, 'activity'),
      ods: need(values, 'ods'),
      org: '',
    },
    patient: { nhsNumber: await nhsNumberOf(outside, values), birthDate },
    ...{ app: need(values, 'app'), gateway, clock: outside.clock, random: outside.random },
  }
  const { token } = await buildLaunchToken(launch)
  if (rung === 'signed') {
    const fields = [{ name: 'launch_token', value: token }]
    return { style: 'form-post', action: `${gateway}/launch`, fields }
  }
  const body = new URLSearchParams({
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await buildAssertion(launch),
    launch_token: token,
  })
  const response = await post(`${gateway}/launch/push`, { body })
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>
  return response.status === 201
    ? { style: 'frame-url', url: String(answer.launch_uri) }
    : { style: 'refused', status: response.status, answer }
}
