/** The record behind the pretend gateway, as far as a scenario's scopes let it be seen. */
import type { Express, Request, Response } from 'express'
import { readGpRecord } from '../../public/care-plan/gp-record.js'
import { rightsOf } from '../../public/care-plan/rights.js'
import type { Witness } from '../../src/core/feeder-audit.js'
import { witnessed } from '../../src/core/witness.js'
import {
  type Failable,
  type Json,
  type Scenario,
  SECTIONS,
  type StoredSection,
  versionOf,
  withUid,
} from './scenario.js'

/** Fails a call as the scenario says. */
export function failed(scenario: Scenario, call: Failable, req: Request, res: Response): boolean {
  const how = scenario.failing.get(call)
  if (how === undefined) return false
  if (how === 'drop') req.socket.destroy()
  else if (how !== 'hang')
    res
      .status(how)
      .json({ error: 'x', error_description: 'The record is away.', reference: 'ref_fakeFailure1' })
  return true
}

export function fakeRecord(app: Express, scenarios: Map<string, Scenario>): void {
  const handle =
    (call: Failable | undefined, act: (scenario: Scenario, req: Request, res: Response) => void) =>
    (req: Request, res: Response) => {
      const scenario = scenarios.get((req.get('authorization') ?? '').slice('Bearer tok_'.length))
      if (req.get('cookie')) scenario?.cookies.push(req.get('cookie') ?? '')
      if (!scenario || scenario.ended) {
        const text = {
          error: 'invalid_token',
          error_description: 'The access token is not valid.',
          reference: 'ref_fakeEnded01',
        }
        return void res.status(401).json(text)
      }
      const token = (req.get('authorization') ?? '').slice('Bearer tok_'.length)
      const inContext = req.get('launch-context') === `ctx_fake${token}` && !scenario.superseded
      if (req.method !== 'GET' && !inContext) {
        const text = {
          error: 'context_superseded',
          error_description: 'Another care plan has been opened since.',
          reference: 'ref_fakeMovedOn1',
        }
        return void res.status(409).json(text)
      }
      const line = `${req.method} ${req.path}`
      scenario.log.push(line.includes('/unsaved') ? `unsaved ${line}` : line)
      if (call === undefined || !failed(scenario, call, req, res)) act(scenario, req, res)
    }
  const patient = handle('Patient', (scenario, _, res) => void res.json(scenario.patient))
  app.get('/fhir/Patient/:id', patient)
  app.get(
    '/fhir/Bundle/:id',
    handle('Bundle', ({ gpRecord }, _, res) => void res.json(gpRecord)),
  )
  app.get(
    '/fhir/CarePlan',
    handle('CarePlan', (scenario, _, res) => void res.json(bundle(scenario))),
  )
  app.post('/fhir/CarePlan', handle('listing', list))
  app.get(
    '/fhir/Practitioner/:id',
    handle(undefined, ({ userName }, _, res) => {
      if (userName === undefined) res.status(404).json({})
      else res.json({ resourceType: 'Practitioner', name: [{ text: userName }] })
    }),
  )
  app.get(
    '/openehr/v1/query/:name',
    handle('sections', (scenario, _, res) => void res.json(resultSet(scenario))),
  )
  compositions(app, handle)
  unsaved(app, handle)
}

/** The rows that the scopes let this user see, and whether any were left out. */
function resultSet({ sections, scope, ehrId }: Scenario): Json {
  const all = [...sections].map(([key, one]) => [key.split('#')[0] ?? key, one] as const)
  const kept = all.filter(([name]) => rightsOf(scope, name).read)
  const rows = kept.map(([name, one]) => [name, versionOf(one), withUid(one), ehrId])
  const columns = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ name, path: '/' }))
  return { q: '', columns, rows, ...(kept.length < sections.size ? { __withheld: true } : {}) }
}

/** A conditional create, as the gateway answers one. */
function list(scenario: Scenario, req: Request, res: Response) {
  const { patientId, index, overtaken } = scenario
  if (req.get('if-none-exist') !== `patient=${patientId}&status=active`)
    return void res.status(400).json({ error: 'invalid_request' })
  if (index === 'active') return void res.status(200).json(req.body)
  scenario.index = 'active'
  if (overtaken) return void res.status(412).json({ error: 'conflict' })
  scenario.listings.push(req.body as Json)
  if (!failed(scenario, 'listing-answer', req, res)) res.status(201).json(req.body)
}

function bundle({ index, patientId }: Scenario): Json {
  const subject = { reference: `Patient/${index === 'foreign' ? 'somebody-else' : patientId}` }
  const status = index === 'foreign' ? 'active' : index
  const resource = { resourceType: 'CarePlan', status, subject }
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    entry: index === 'none' ? [] : [{ resource }],
  }
}

function revisionHistory(one: StoredSection): Json {
  const items = [...(one.past ?? []), one.composition].map((composition, i) => {
    const { composer, context } = composition as {
      composer: { name: string }
      context: { start_time: Json }
    }
    return {
      version_id: { value: versionOf({ ...one, version: i + 1 }) },
      audits: [{ committer: { name: composer.name }, time_committed: context.start_time }],
    }
  })
  return { _type: 'REVISION_HISTORY', items }
}

type Handle = (
  call: Failable | undefined,
  act: (scenario: Scenario, req: Request, res: Response) => void,
) => (req: Request, res: Response) => void

/** What is kept, with what the launch bears out of what was taken over. */
function seenIn({ gpRecord, unsaved, patientId }: Scenario, req: Request): Json {
  const section = SECTIONS.find(({ template }) => template === req.params.template)
  const { adopted = [], ...body } = req.body as { adopted?: Parameters<typeof witnessed>[1] }
  if (!section || adopted.length === 0) return req.body as Json
  const handover =
    gpRecord === undefined ? undefined : readGpRecord(gpRecord, 'gateway.example', patientId)
  const before = unsaved.get(section.template)?.body.witnessed as readonly Witness[] | undefined
  const launch = {
    ...{ id: 'lch_fake', section },
    handover: handover && { from: handover.from, resources: handover.resources as Json[] },
  }
  return { ...body, adopted, witnessed: witnessed(launch, adopted, before ?? []) }
}

/** As the gateway keeps it: over what another launch kept goes only who names it. */
function unsaved(app: Express, handle: Handle): void {
  const tag = ({ kept, by }: { kept: string; by: string }) => `"${kept}-${by}"`
  const of = (req: Request) => String(req.params.template)
  app.get(
    '/openehr/v1/ehr/:ehr/unsaved',
    handle('unsaved', (scenario, _, res) => {
      const all = [...scenario.unsaved].map(([template, one]) => ({
        ...{ template, kept: one.kept, etag: tag(one) },
      }))
      res.json({ unsaved: all })
    }),
  )
  app.get(
    '/openehr/v1/ehr/:ehr/unsaved/:template',
    handle('unsaved', (scenario, req, res) => {
      const one = scenario.unsaved.get(of(req))
      if (!one) return void res.status(404).json({ error: 'not_found' })
      res.set('ETag', tag(one)).json({ template: of(req), kept: one.kept, ...one.body })
    }),
  )
  app.put(
    '/openehr/v1/ehr/:ehr/unsaved/:template',
    handle('unsaved', (scenario, req, res) => {
      const by = String(req.get('launch-context'))
      const one = scenario.unsaved.get(of(req))
      if (one && one.by !== by && req.get('if-match') !== tag(one))
        return void res.status(412).json({ error: 'conflict' })
      const next = { body: seenIn(scenario, req), kept: new Date().toISOString(), by }
      scenario.unsaved.set(of(req), next)
      res.set('ETag', tag(next)).json({ template: of(req), kept: next.kept })
    }),
  )
  app.delete(
    '/openehr/v1/ehr/:ehr/unsaved/:template',
    handle('unsaved', (scenario, req, res) => {
      scenario.unsaved.delete(of(req))
      res.status(204).end()
    }),
  )
}

function compositions(app: Express, handle: Handle): void {
  const of = ({ sections }: Scenario, req: Request) =>
    [...sections.values()].find(({ object }) => object === String(req.params.uid).split('::')[0])
  const answer = (res: Response, status: number, one: StoredSection) =>
    res
      .status(status)
      .set('ETag', `"${versionOf(one)}"`)
      .json(withUid(one))
  app.get(
    '/openehr/v1/ehr/:ehr/composition/:uid',
    handle(undefined, (scenario, req, res) => {
      const one = of(scenario, req)
      const version = Number(String(req.params.uid).split('::')[2] ?? one?.version)
      const past = one?.past?.[version - 1]
      if (one && version === one.version) answer(res, 200, one)
      else if (one && past) answer(res, 200, { ...one, version, composition: past })
      else res.status(404).json({ error: 'not_found', error_description: 'Not found.' })
    }),
  )
  app.get(
    '/openehr/v1/ehr/:ehr/versioned_composition/:uid/revision_history',
    handle('history', (scenario, req, res) => {
      const one = of(scenario, req)
      if (one) res.json(revisionHistory(one))
      else res.status(404).json({ error: 'not_found', error_description: 'Not found.' })
    }),
  )
  app.put(
    '/openehr/v1/ehr/:ehr/composition/:uid',
    handle('save', (scenario, req, res) => {
      const one = of(scenario, req)
      if (!one) return void res.status(404).json({ error: 'not_found' })
      if (req.get('if-match') !== `"${versionOf(one)}"`) {
        return void res
          .status(412)
          .set('ETag', `"${versionOf(one)}"`)
          .json({ error: 'conflict' })
      }
      one.past = [...(one.past ?? []), one.composition]
      one.version += 1
      const { keeps = (text) => text } = scenario
      one.composition = JSON.parse(keeps(JSON.stringify(req.body))) as Json
      if (!failed(scenario, 'save-answer', req, res)) answer(res, 200, one)
    }),
  )
  app.post(
    '/openehr/v1/ehr/:ehr/composition',
    handle('save', (scenario, req, res) => {
      const composition = req.body as Json & { archetype_details: { template_id: Json } }
      const template = String(composition.archetype_details.template_id.value)
      const one = { object: `obj-${template}`, version: 1, composition }
      scenario.sections.set(template, one)
      if (!failed(scenario, 'save-answer', req, res)) answer(res, 201, one)
    }),
  )
}
