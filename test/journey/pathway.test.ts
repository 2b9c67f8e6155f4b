import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { composed, valuesOf } from '../../public/care-plan/composition.js'
import type { Plan } from '../../src/core/plan.js'
import { checkSource } from '../../src/policy/check.js'
import { checkPlan } from '../../src/policy/plan-check.js'
import { openPlan } from '../../src/policy/plan-files.js'
import { placesIn } from '../../src/policy/source.js'
import { call, launchTo, type Tokens } from '../app-by-hand.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import type { Answer } from '../user-agent.js'

jest.setTimeout(60_000)

let folder = ''
let t: TestGateway
let plan: Plan

/** The blocks of docs/plans.md in their order, by language. */
const blocks = (text: string, language: string) =>
  [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
    .filter(([, said]) => said === language)
    .map(([, , block]) => block ?? '')

const edited = async (name: string, from: string, to: string) => {
  const text = await readFile(join(folder, name), 'utf8')
  if (!text.includes(from)) throw new Error(`${name} has no ${from}`)
  await writeFile(join(folder, name), text.replace(from, to))
}

/** What docs/plans.md tells to do, and nothing else. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pathway-'))
  await cp('config', folder, { recursive: true })
  const docs = await readFile('docs/plans.md', 'utf8')
  const [definition = '', tests = ''] = blocks(docs, 'yaml')
  const [policies = ''] = blocks(docs, 'cedar')
  await writeFile(join(folder, 'plan/pathways/dementia.yaml'), definition)
  await writeFile(join(folder, 'policies/dementia.cedar'), policies)
  await writeFile(join(folder, 'policies/tests/dementia.yaml'), tests)
}, 60_000)
afterAll(async () => {
  await t?.close()
  await rm(folder, { recursive: true, force: true })
})

const PATH = (tokens: Tokens) => `/openehr/v1/ehr/${tokens.ehrId}/composition`
const json = { 'content-type': 'application/json', prefer: 'return=representation' }

function begin(tokens: Tokens, values: Readonly<Record<string, string>>): Promise<Answer> {
  const section = plan.sections.find(({ id }) => id === 'dementia')
  if (!section) throw new Error('no dementia')
  const author = { name: 'whoever', at: new Date(t.clock()) }
  const body = JSON.stringify(composed(section, values, author))
  const headers = { ...json, 'launch-context': String(tokens.__context) }
  return call(t, tokens.access_token, PATH(tokens), { method: 'POST', headers, body })
}

const tokensOf = async (user: string): Promise<Tokens> =>
  (await launchTo(t, { system: 'gp-push', user })).tokens

const VALUES = {
  stage: 'moderate',
  distress: 'Being hurried.',
  signs: 'face\nvoice',
  people: JSON.stringify([{ name: 'Simran', phone: '07700 900771' }]),
  wanders: 'yes',
  weight: '54.5 kg',
}

describe('a pathway that was added by a definition and policies only', () => {
  it('is wanting until the schema knows it, and said to be', () => {
    const { problems } = checkPlan(placesIn(folder))
    expect(problems.map(({ text }) => text)).toEqual([
      'entity Section: "dementia" is missing: add it, so that policies can speak of the section',
    ])
  })

  it('then passes its own tests, and those of before', async () => {
    await edited('policies/gateway.cedarschema', '"sickle-cell"', '"sickle-cell", "dementia"')
    expect(checkPlan(placesIn(folder)).problems).toEqual([])
    expect((await checkSource(folder)).problems).toEqual([])
  })

  it('is written by who may, through the gateway, and read by who may', async () => {
    plan = openPlan(join(folder, 'plan/sections.yaml'))
    const { policies, roles, console } = placesIn(folder)
    t = await openTestGateway({
      store: 'embedded',
      change: ({ paths }) => ({
        plan: plan.sections,
        pathways: plan.pathways,
        paths: { ...paths, policies, roles, console },
      }),
    })
    const social = await tokensOf('social-worker')
    expect(social.scope).toContain('patient/composition-care-plan::dementia.v1.rs ')
    const refused = await begin(social, VALUES)
    expect([refused.status, JSON.parse(refused.text).error]).toEqual([403, 'insufficient_scope'])

    const written = await begin(await tokensOf('gp'), VALUES)
    expect(written.status).toBe(201)
    const { uid } = JSON.parse(written.text)

    const read = await call(t, social.access_token, `${PATH(social)}/${uid.value}`)
    expect(read.status).toBe(200)
    const section = plan.sections.find(({ id }) => id === 'dementia')
    expect(section && valuesOf(section, JSON.parse(read.text))).toMatchObject(VALUES)

    // Who may not see it cannot tell it from what is not there.
    const desk = await tokensOf('receptionist')
    expect(desk.scope).not.toContain('dementia')
    const hidden = await call(t, desk.access_token, `${PATH(desk)}/${uid.value}`)
    const absent = `${PATH(desk)}/00000000-0000-4000-8000-000000000000`
    const nothing = await call(t, desk.access_token, absent)
    expect([hidden.status, nothing.status]).toEqual([404, 404])
    expect(JSON.parse(hidden.text).error_description).toBe(
      JSON.parse(nothing.text).error_description,
    )
  })

  it('is found in discovery, and its entries in the trail name the section', async () => {
    const answer = await fetch(new URL('/.well-known/smart-configuration', t.issuer))
    const { scopes_supported: scopes } = (await answer.json()) as { scopes_supported: string[] }
    expect(scopes).toContain('patient/composition-care-plan::dementia.v1.crus')
    const decided = []
    for await (const { detail } of t.running.store.trail())
      if (JSON.stringify(detail ?? {}).includes('dementia')) decided.push(detail)
    expect(decided.length).toBeGreaterThan(0)
  })
})
