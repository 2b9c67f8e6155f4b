/** A change of the policies, made at the console by plain HTTP. */
import { readFileSync } from 'node:fs'
import type { TestGateway } from '../gateway.js'
import { type Answer, formsOf, type UserAgent } from '../user-agent.js'
import { get, post } from './signing-in.js'

/** A page, once everything that it waits for has been worked out. */
export async function whole(t: TestGateway, browser: UserAgent, path: string): Promise<Answer> {
  const first = await get(t, browser, path)
  if (!first.text.includes('data-under-way')) return first
  await t.running.findings.idle()
  return get(t, browser, path)
}

export const led = (answer: Answer): string => {
  if (!answer.location) throw new Error(`${answer.status} leads nowhere: ${answer.text}`)
  return answer.location.pathname
}

/** A new draft's address. */
export async function begin(
  t: TestGateway,
  browser: UserAgent,
  fields: Readonly<Record<string, string>> = {},
): Promise<string> {
  const page = await get(t, browser, '/console/drafts')
  const say = { title: 'Call handlers read symptoms', ticket: 'CHG-1', ...fields }
  return led(await post(t, browser, { page, action: '/console/drafts' }, say))
}

/** Answers the one form of a page that leads to this address. */
export async function answer(
  t: TestGateway,
  browser: UserAgent,
  path: string,
  fields: Readonly<Record<string, string>> = {},
  from = path,
): Promise<Answer> {
  const page = await whole(t, browser, from)
  return post(t, browser, { page, action: path }, fields)
}

const fileAt = (path: string, name: string): string =>
  `${path}/files?name=${encodeURIComponent(name)}`

/** What the editor holds of a file. */
export async function textIn(t: TestGateway, browser: UserAgent, path: string, name: string) {
  const { text } = await get(t, browser, fileAt(path, name))
  const area = /<textarea[^>]*name="text"[^>]*>\n([\s\S]*?)<\/textarea>/.exec(text)?.[1]
  if (area === undefined) throw new Error(text)
  return area
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

/** Saves a file as its editor would: line ends are those of a form. */
export const save = (
  t: TestGateway,
  browser: UserAgent,
  path: string,
  name: string,
  text: string,
): Promise<Answer> =>
  answer(t, browser, `${path}/files`, { text: text.replaceAll('\n', '\r\n') }, fileAt(path, name))

export const CELL = {
  ...{ role: 'call-handler', 'action-read': 'yes', 'action-search': 'yes' },
  ...{ resource: 'section/symptoms', wanted: 'allow' },
  reason: 'Call handlers tell callers what helps until somebody comes.',
}

/** The team's own test that says the opposite, mended. */
/** Where the team's own test stands that turns red. */
export const testLine = (): number =>
  readFileSync('config/policies/tests/sections.yaml', 'utf8')
    .split('\n')
    .findIndex((line) => line.includes('Call handlers read nothing else')) + 1

export async function mendTest(t: TestGateway, browser: UserAgent, path: string) {
  const name = 'policies/tests/sections.yaml'
  const text = await textIn(t, browser, path, name)
  const mended = text.replace('section/symptoms,\n        section/prognosis', 'section/prognosis')
  return save(t, browser, path, name, mended)
}

/** A draft that is sound and lets call handlers read symptoms. */
export async function written(t: TestGateway, author: UserAgent): Promise<string> {
  const path = await begin(t, author)
  await answer(t, author, `${path}/cell`, CELL)
  await mendTest(t, author, path)
  return path
}

export const propose = (t: TestGateway, author: UserAgent, path: string): Promise<Answer> =>
  answer(t, author, `${path}/propose`, { reason: 'Callers wait for help.' })

export const hashIn = (page: Answer, action: string): string =>
  formsOf(page.text).find((form) => form.action === action)?.fields.hash ?? ''
