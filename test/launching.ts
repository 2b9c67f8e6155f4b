/** What a GP system and its user's browser do in a launch, up to the app or to where it stops. */
import { CompactEncrypt, CompactSign, importJWK } from 'jose'
import { writeJson } from '../src/core/json-text.js'
import type { LaunchTokenClaims } from '../src/demo/desktop-faults.js'
import {
  ASSERTION_TYPE,
  buildAssertion,
  draftLaunch,
  type Launch,
  type LaunchingSystem,
  underTheirNames,
} from '../src/demo/desktop-launches.js'
import { PATIENTS } from '../src/demo/patients.js'
import { type SignInChoice, signInAt } from './demo/sign-in.js'
import type { TestGateway } from './gateway.js'
import { type Answer, formsOf, type Sent, send, type UserAgent } from './user-agent.js'

const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes))

export const PEGGY = '9990000018'
export const NO_PLAN = '9990000026'
export const SENSITIVE = '9990000034'
export const DECEASED = '9990000042'
export const SUPERSEDED = '9990000050'
export const OTHER_BIRTH_DATE = '9990000069'

export const patientOf = (nhsNumber: string) => {
  const found = PATIENTS.find((patient) => patient.nhsNumber === nhsNumber)
  if (!found) throw new Error(`no such patient: ${nhsNumber}`)
  return found
}

/** One launch as its system means it. */
export interface Order {
  readonly system: string
  /** `id` of config/demo/people.yaml. */
  readonly user?: string
  readonly patient?: string
  readonly app?: string
  /** Changes what is said, under our own names. */
  readonly claims?: (claims: LaunchTokenClaims) => object
  /** Laid over the token's header. */
  readonly header?: Readonly<Record<string, unknown>>
  /** Who signs, when it is not the system itself. */
  readonly key?: LaunchingSystem['key']
}

export const launchOf = (t: TestGateway, order: Order): Launch => {
  const { system, user = 'gp', patient = PEGGY, app = 'care-plan' } = order
  const [launching, person] = [t.systems[system], t.users.find(({ id }) => id === user)]
  if (!launching || !person) throw new Error(`no such system or user: ${system}, ${user}`)
  // Without what the demonstration's GP systems hold of them: tests of data with a launch say what comes.
  const { nhsNumber, birthDate, gpBirthDate } = patientOf(patient)
  const named = { nhsNumber, birthDate, ...(gpBirthDate === undefined ? {} : { gpBirthDate }) }
  return {
    ...{ system: launching, user: person, patient: named, app },
    ...{ gateway: t.issuer, clock: t.clock, random },
  }
}

export const claimsOf = (t: TestGateway, order: Order): LaunchTokenClaims => {
  const { claims } = draftLaunch(launchOf(t, order))
  return { ...claims, ...order.claims?.(claims) }
}

/** A launch token, signed. */
export async function tokenOf(t: TestGateway, order: Order): Promise<string> {
  const { system } = launchOf(t, order)
  const key = order.key ?? system.key
  const header = { alg: 'ES256', typ: 'launch+jwt', kid: key.kid, ...order.header } as never
  const said = underTheirNames(claimsOf(t, order), system.claims ?? {})
  // Its numbers as a launch system may write them.
  const text = new TextEncoder().encode(writeJson(said))
  return new CompactSign(text).setProtectedHeader(header).sign(await importJWK(key, 'ES256'))
}

const at = (t: TestGateway, path: string): URL => new URL(path, t.issuer)

/** The user without their national number: the launch names a local user only. */
export const localOnly = (sent: LaunchTokenClaims): object => {
  const { sds_user_id: _, ...practitioner } = sent.practitioner
  return { practitioner }
}

/** POST /launch/push, from server to server. */
export async function push(t: TestGateway, order: Order, more: Sent = {}): Promise<Answer> {
  const form = {
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await buildAssertion(launchOf(t, order)),
    launch_token: await tokenOf(t, order),
  }
  return send(at(t, '/launch/push'), { form, ...more })
}

export async function linkOf(t: TestGateway, order: Order): Promise<URL> {
  const answer = await push(t, order)
  if (answer.status !== 201) throw new Error(`push was answered ${answer.status} ${answer.text}`)
  return new URL(JSON.parse(answer.text).launch_uri)
}

type Visit = (url: URL, sent?: Sent) => Promise<Answer>

/** Sealed parameters (JWE), to the gateway's published key unless the header says otherwise. */
export async function sealOf(t: TestGateway, order: Order): Promise<string> {
  const key = t.running.keys.jwks.keys.find(({ use }) => use === 'enc')
  if (!key) throw new Error('the gateway publishes no encryption key')
  const header = { alg: 'ECDH-ES', enc: 'A256GCM', kid: key.kid, ...order.header } as never
  const said = JSON.stringify(claimsOf(t, order))
  return new CompactEncrypt(new TextEncoder().encode(said))
    .setProtectedHeader(header)
    .encrypt(await importJWK(key, 'ECDH-ES'))
}

/** The browser's first request of a launch, on each rung; the GP system's own server is walked through. */
async function begin(t: TestGateway, visit: Visit, order: Order): Promise<Answer> {
  const { system } = launchOf(t, order)
  if (system.rung === 'pushed') return visit(await linkOf(t, order))
  if (system.rung === 'signed') {
    return visit(at(t, '/launch'), { form: { launch_token: await tokenOf(t, order) } })
  }
  if (system.rung === 'sealed') {
    const form = { system: system.id, sealed: await sealOf(t, order) }
    return visit(at(t, '/launch/sealed'), { form })
  }
  await t.clock.catchUp()
  const callback = await smartCallback(t, visit, order)
  return visit(callback)
}

/** The inbound SMART launch up to the address with which the GP system sends the browser back to us. */
export async function smartCallback(t: TestGateway, visit: Visit, order: Order): Promise<URL> {
  const draft = { ...draftLaunch(launchOf(t, order)), claims: claimsOf(t, order) }
  const url = at(t, '/launch/smart')
  url.searchParams.set('iss', `${t.origins.desktop}/smart`)
  url.searchParams.set('launch', t.smart.mint({ draft, chart: 'chart-1' }))
  const asked = await visit(url)
  if (!asked.location) throw new Error(`/launch/smart was answered ${asked.status}`)
  const sentBack = await visit(asked.location)
  if (!sentBack.location) throw new Error(`the GP system answered ${sentBack.status}`)
  return sentBack.location
}

/** Opens a launch in the browser's window and answers with what that shows or where it leads. */
export const open = (t: TestGateway, browser: UserAgent, order: Order): Promise<Answer> =>
  begin(t, (url, sent) => browser.visit(url, sent), order)

/** The same in a frame inside the chart. */
export const openFramed = (t: TestGateway, browser: UserAgent, order: Order): Promise<Answer> =>
  begin(t, (url, sent) => browser.visitFramed(url, sent), order)

/** The form of a page that leads to this path. */
export function formTo(page: Answer, path: string, step?: string) {
  const form = formsOf(page.text).find(
    ({ action, fields }) => action === path && (step === undefined || fields.step === step),
  )
  if (!form) throw new Error(`no form to ${path}: ${page.status} ${page.text}`)
  return form.fields
}

/**
 * From the sign-in page to what comes of it: through the real provider, in a window of its own when the
 * page is framed.
 */
export async function signIn(
  t: TestGateway,
  browser: UserAgent,
  page: Answer,
  choice: SignInChoice,
): Promise<Answer> {
  const back = await callbackOf(t, browser, page, choice)
  const form = formTo(page, '/sign-in/start')
  const answer = await browser.visit(back)
  if (form.framed === '0' || answer.status !== 200) return answer
  const proof = /data-proof="([^"]*)"/.exec(answer.text)?.[1] ?? ''
  const onward = { ...formTo(page, '/launch/continue', 'signed-on'), proof }
  return browser.visitFramed(at(t, '/launch/continue'), { form: onward })
}

/** The address with which the provider sends the browser back. */
export async function callbackOf(
  t: TestGateway,
  browser: UserAgent,
  page: Answer,
  choice: SignInChoice,
): Promise<URL> {
  await t.clock.catchUp()
  const form = formTo(page, '/sign-in/start')
  const started = await browser.visit(at(t, '/sign-in/start'), { form })
  if (!started.location) throw new Error(`sign-in was answered ${started.status} ${started.text}`)
  return signInAt(started.location, choice, browser.jar)
}

/** Answers the page that asks for the patient's birth date. */
export function typeBirthDate(
  t: TestGateway,
  browser: UserAgent,
  page: Answer,
  birthDate: string,
): Promise<Answer> {
  const [year = '', month = '', day = ''] = birthDate.split('-')
  const form = { ...formTo(page, '/launch/continue', 'birth-date'), day, month, year }
  return browser.visit(at(t, '/launch/continue'), { form })
}

/** Answers the page that asks whether both are the same person. */
export const confirmPerson = (
  t: TestGateway,
  browser: UserAgent,
  page: Answer,
  answer: 'yes' | 'no',
): Promise<Answer> => {
  const form = { ...formTo(page, '/launch/continue', 'person'), answer }
  return browser.visit(at(t, '/launch/continue'), { form })
}

/** The handle of a launch that has landed in its app. @throws Error with the page, where it has not */
export function handleOf(answer: Answer): string {
  const handle = answer.location?.searchParams.get('launch')
  if (answer.status !== 303 || !handle?.startsWith('hdl_')) {
    throw new Error(`the launch did not land: ${answer.status} ${answer.location} ${answer.text}`)
  }
  return handle
}
