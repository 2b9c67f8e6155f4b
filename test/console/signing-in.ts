/** Somebody of the security team at the console, by plain HTTP. */
import type { ConsoleRow } from '../../src/console/page.js'
import { consoleRows } from '../../src/console/routes.js'
import { signInAt } from '../demo/sign-in.js'
import type { TestGateway } from '../gateway.js'
import { type Answer, formsOf, type Sent, UserAgent } from '../user-agent.js'

/** Everything that stands in the console's table; its answers are never called. */
export const ROWS: readonly ConsoleRow[] = consoleRows({ keys: {}, policies: {} } as never)

export const at = (t: TestGateway, path: string): URL => new URL(path, t.issuer)

interface Choice {
  readonly person: string
  readonly assurance?: 2 | 3
  readonly to?: string
}

/** The way to the provider and back: where the provider sends the browser. */
export async function callbackFor(
  t: TestGateway,
  browser: UserAgent,
  { person, assurance = 2, to = '/console' }: Choice,
): Promise<URL> {
  const form = { to, assurance: String(assurance) }
  const start = await browser.visit(at(t, '/console/sign-in'), { form })
  if (!start.location) throw new Error(`${start.status} ${start.text}`)
  await t.clock.catchUp()
  return signInAt(start.location, { person, assurance }, browser.jar)
}

/** A browser in which this person of config/demo/people.yaml is signed in to the console. */
export async function signedIn(
  t: TestGateway,
  person: string,
  assurance: 2 | 3 = 2,
): Promise<UserAgent> {
  const browser = new UserAgent()
  const answer = await browser.visit(await callbackFor(t, browser, { person, assurance }))
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  return browser
}

export const get = (t: TestGateway, browser: UserAgent, path: string, sent: Sent = {}) =>
  browser.visit(at(t, path), sent)

/** Answers the form of a page that leads to this address, as its user would. */
export function post(
  t: TestGateway,
  browser: UserAgent,
  { page, action }: { readonly page: Answer; readonly action: string },
  fields: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const form = formsOf(page.text).find((each) => each.action === action)
  if (!form) throw new Error(`no form to ${action}: ${page.text}`)
  return browser.visit(at(t, action), { form: { ...form.fields, ...fields }, headers })
}
