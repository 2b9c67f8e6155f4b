/** A command at the console's API, signed in by a member's browser. */
import { hashOfFiles, type PolicyFiles } from '../../src/policy/source.js'
import type { TestGateway } from '../gateway.js'
import { type Answer, send, type UserAgent } from '../user-agent.js'
import { at, get, post, signedIn } from './signing-in.js'

export const API = '/console/api/v1'

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the test is about
export type Said = any
export interface Reply extends Answer {
  readonly json: Said
}

/** One call, as a command sends it. */
export async function call(
  t: TestGateway,
  line: string,
  { bearer, body, headers = {} }: { bearer?: string; body?: unknown; headers?: object } = {},
): Promise<Reply> {
  const [method = '', path = ''] = line.split(' ')
  const answer = await send(at(t, `${API}${path}`), {
    method,
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { ...answer, json: JSON.parse(answer.text) }
}

export interface Device {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
}

export const begin = async (t: TestGateway): Promise<Device> =>
  (await call(t, 'POST /sign-in', { body: { client: 'launch-gateway on a test' } })).json

export const poll = (t: TestGateway, { device_code }: Device): Promise<Reply> =>
  call(t, 'POST /sign-in/token', { body: { device_code } })

/** What a member sees who typed a code. */
export async function typeCode(
  t: TestGateway,
  browser: UserAgent,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const page = await get(t, browser, '/console/device')
  return post(t, browser, { page, action: '/console/device' }, { code }, headers)
}

const CONFIRM = '/console/device/confirm'
export async function confirm(
  t: TestGateway,
  browser: UserAgent,
  code: string,
  answer: 'yes' | 'no' = 'yes',
): Promise<Answer> {
  const page = await typeCode(t, browser, code)
  return post(t, browser, { page, action: CONFIRM }, { answer })
}

/** A bearer for whoever is signed in in this browser. */
export async function bearerOf(t: TestGateway, browser: UserAgent): Promise<string> {
  const device = await begin(t)
  const answered = await confirm(t, browser, device.user_code)
  const { json } = await poll(t, device)
  if (!json.access_token) throw new Error(`${answered.text} ${JSON.stringify(json)}`)
  return json.access_token
}

export type Call = (line: string, body?: unknown) => Promise<Reply>

/** Somebody's command. */
export async function commandOf(
  t: TestGateway,
  person: string,
  assurance: 2 | 3 = 2,
): Promise<{ readonly call: Call; readonly bearer: string; readonly browser: UserAgent }> {
  const browser = await signedIn(t, person, assurance)
  const bearer = await bearerOf(t, browser)
  return {
    ...{ bearer, browser },
    call: (line, body) => call(t, line, { bearer, ...(body === undefined ? {} : { body }) }),
  }
}

/** What is worked out, once it is. */
export async function worked(t: TestGateway, by: Call, line: string): Promise<Reply> {
  const first = await by(line)
  if (first.status !== 202) return first
  await t.running.findings.idle()
  await t.running.matrices.idle()
  return by(line)
}

const NAME = 'policies/tests/sections.yaml'
const WRITING = `
@id("call-handlers-read-symptoms")
@layer("central")
@reason("Call handlers tell callers what helps until somebody comes.")
permit (
    principal in Role::"call-handler",
    action in [Action::"read", Action::"search"],
    resource == Section::"symptoms"
)
when { context.purpose == "direct-care" };
`

/** The version's files with one more permission, and the tests that speak of it. */
export const changed = (files: PolicyFiles): PolicyFiles => ({
  ...files,
  'policies/symptoms.cedar': WRITING,
  [NAME]: (files[NAME] ?? '').replace(
    'section/symptoms,\n        section/prognosis',
    'section/prognosis',
  ),
})

/** A draft that holds the change. */
export async function drafted(by: Call, change = changed): Promise<Said> {
  const opened = await by('POST /drafts', { title: 'Call handlers read symptoms', ticket: 'CHG-1' })
  const { id, generation, hash } = opened.json.draft
  const { files } = (await by(`GET /drafts/${id}/files`)).json
  if (hashOfFiles(files) !== hash) throw new Error('not all files')
  const edited = await by(`PUT /drafts/${id}/files`, { generation, files: change(files) })
  return edited.json.draft
}
