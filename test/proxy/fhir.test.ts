import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { accessOf, CREDENTIAL, ISSUER, openWorld, PEGGY, WINSTON, type World } from './world.js'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.end())
beforeEach(() => {
  world.access = accessOf()
  world.allowed = () => true
  world.trailFails = false
  world.policy.state.errors = []
  world.entries.length = 0
  world.upstream.length = 0
})
const get = (path: string) => request(world.app).get(`/fhir${path}`)

describe('/fhir, the patient in context', () => {
  it('gives the patient of the token', async () => {
    const answer = await get(`/Patient/${PEGGY.fhirId}`)
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toContain('application/fhir+json')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers.etag).toBe('W/"1"')
    expect(answer.body).toMatchObject({ id: PEGGY.fhirId, birthDate: '1938-03-14' })
  })

  it.each(['CarePlan', 'Condition', 'AllergyIntolerance', 'Encounter'])(
    'finds every %s of the patient, and reads each by its id',
    async (type) => {
      const found = await get(`/${type}?patient=${PEGGY.fhirId}`)
      expect(found.status).toBe(200)
      expect(found.body.entry.length).toBeGreaterThan(0)
      for (const { resource, fullUrl } of found.body.entry) {
        expect(fullUrl).toBe(`${ISSUER}/fhir/${type}/${resource.id}`)
        expect((await get(`/${type}/${resource.id}`)).body).toEqual(resource)
      }
    },
  )

  it('holds a search to the patient in context when it names none', async () => {
    const found = await get('/CarePlan?status=active')
    expect(found.body.entry).toHaveLength(1)
    expect(world.upstream[0]?.url).toBe(
      `/record/fhir/CarePlan?patient=Patient%2F${PEGGY.fhirId}&status=active`,
    )
  })

  it('asks for a search to be refused rather than carried out without one of its parameters', async () => {
    const form = '/CarePlan/_search'
    await get('/CarePlan?status=active').expect(200)
    await request(world.app).post(`/fhir${form}`).type('form').send('status=active').expect(200)
    await get(`/CarePlan/${PEGGY.fhirId}-plan`).expect(200)
    expect(world.upstream.map(({ headers }) => headers.prefer)).toEqual([
      ...['handling=strict', 'handling=strict', undefined],
    ])
  })

  it('hands on pages as links of its own, which can be followed to the end', async () => {
    const first = await get(`/Condition?patient=Patient/${PEGGY.fhirId}&_count=3`)
    const next = first.body.link.find(({ relation }: { relation: string }) => relation === 'next')
    expect(next.url).toContain(`${ISSUER}/fhir/Condition?`)
    const second = await get(next.url.slice(`${ISSUER}/fhir`.length))
    expect(second.body.entry).toHaveLength(1)
    expect(JSON.stringify([first.body, second.body])).not.toContain(world.origin)
  })

  it('brings along what a row of the table names, judged as its own type', async () => {
    const found = () =>
      get('/Encounter?_include=Encounter:service-provider&_format=application/fhir+json')
    const modes = async () =>
      (await found()).body.entry.map(({ search }: { search: { mode: string } }) => search.mode)
    expect(await modes()).toEqual(['match', 'include'])
    world.allowed = ({ resource }) => resource.id !== 'Organization'
    expect(await modes()).toEqual(['match'])
  })

  it('gives the user their own Practitioner by the fhirUser scope, and no other by it', async () => {
    world.access = accessOf({ scope: 'openid fhirUser' })
    world.allowed = () => false
    expect((await get('/Practitioner/555254239101')).body.name).toEqual([
      { text: 'Dr Amara Okafor' },
    ])
    expect((await get('/Practitioner/555254239107')).status).toBe(403)
    world.access = accessOf({ scope: 'openid' })
    expect((await get('/Practitioner/555254239101')).status).toBe(403)
  })

  it('sends the credential of the record behind, and nothing of the client’s own headers', async () => {
    await get(`/Patient/${PEGGY.fhirId}`)
      .set('Authorization', 'Bearer the-access-token')
      .set('Cookie', 'a=b')
      .set('If-None-Match', 'W/"1"')
      .set('X-Forwarded-For', '1.2.3.4')
    const headers = world.upstream[0]?.headers ?? {}
    expect(headers.authorization).toBe(`Bearer ${CREDENTIAL}`)
    for (const name of ['cookie', 'if-none-match', 'x-forwarded-for'])
      expect(headers).not.toHaveProperty(name)
  })
})

describe('/fhir, scopes and policies', () => {
  it('refuses what the token’s scopes do not cover', async () => {
    world.access = accessOf({ scope: 'patient/Patient.r patient/CarePlan.s system/Condition.rs' })
    expect((await get(`/Patient/${PEGGY.fhirId}`)).status).toBe(200)
    expect((await get('/CarePlan')).status).toBe(200)
    expect((await get(`/CarePlan/${PEGGY.fhirId}-plan`)).status).toBe(403)
    const refused = await get('/Condition')
    expect(refused.status).toBe(403)
    expect(refused.headers['www-authenticate']).toContain('insufficient_scope')
    expect(refused.body.resourceType).toBe('OperationOutcome')
  })

  it('grants nothing by a scope with a search query that it cannot evaluate', async () => {
    world.access = accessOf({ scope: 'patient/Condition.rs?recorded-date=2020' })
    expect((await get('/Condition')).status).toBe(403)
  })

  it('asks the policies of today at each call, with the hour of today', async () => {
    world.access = accessOf({ hour: 3 })
    await get('/CarePlan').expect(200)
    expect(world.policy.questions.at(-1)).toMatchObject({
      action: 'search',
      resource: { type: 'fhir', id: 'CarePlan' },
      hour: 12,
      purpose: 'direct-care',
    })
    world.allowed = ({ resource }) => resource.id !== 'CarePlan'
    expect((await get('/CarePlan')).status).toBe(403)
  })

  it('takes an allow beside an error for a refusal', async () => {
    world.policy.state.errors = ['a forbid could not be evaluated']
    expect((await get('/CarePlan')).status).toBe(403)
    expect(world.upstream).toEqual([])
  })

  it('refuses a token that is meant for another base', async () => {
    world.access = accessOf({ audience: [`${ISSUER}/openehr/v1`] })
    expect((await get('/CarePlan')).status).toBe(401)
  })
})

describe('/fhir, the trail', () => {
  it('holds who read what of whom under which policies, before it leaves, without content', async () => {
    await get('/CarePlan').expect(200)
    expect(world.entries).toEqual([
      expect.objectContaining({
        what: 'access_allowed',
        outcome: 'success',
        launch: 'lch_test',
        grant: 'grt_test',
        token: 'tok_test',
        app: 'care-plan',
        system: 'gp-push',
        patient: { fhirId: PEGGY.fhirId, nhsNumber: PEGGY.nhsNumber },
        policy: { version: 7, effect: 'allow', policies: ['allow-by-test'] },
        detail: { interaction: 'search', type: 'CarePlan', entries: 1 },
      }),
    ])
  })

  it('holds what was refused, by whom', async () => {
    const { body } = await get(`/Patient/${WINSTON.fhirId}`).expect(404)
    expect(world.entries).toEqual([
      expect.objectContaining({
        what: 'access_refused',
        refusal: 'record_other_patient',
        launch: 'lch_test',
        user: expect.objectContaining({ id: '555254239101', organization: 'A83001' }),
      }),
    ])
    expect(body.issue[0].diagnostics).toContain(world.entries[0]?.reference)
  })

  it('names the roles that were judged, not those with which the user once signed on', async () => {
    const access = accessOf()
    const { circumstances } = access.grant
    const user = { ...circumstances.user, roles: ['practice-nurse' as const] }
    const grant = { ...access.grant, circumstances: { ...circumstances, user } }
    world.access = { ...access, grant }
    await get('/CarePlan').expect(200)
    expect(world.entries).toMatchObject([{ user: { roles: ['practice-nurse'] } }])
  })

  it('marks what was read while the rules in force were not known', async () => {
    world.access = { ...accessOf(), stale: true }
    await get('/CarePlan').expect(200)
    expect(world.entries).toMatchObject([{ detail: { stale: true } }])
  })

  it('releases nothing when the trail cannot be written', async () => {
    world.trailFails = true
    const answer = await get(`/Patient/${PEGGY.fhirId}`)
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('Ashworth')
  })
})

describe('/fhir/metadata', () => {
  it('is for anyone, names only what is let through, and nothing behind us', async () => {
    const answer = await get('/metadata').expect(200)
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect(answer.text).not.toContain(world.origin)
    expect(answer.body.implementation.url).toBe(`${ISSUER}/fhir`)
    const [rest] = answer.body.rest
    const patient = rest.resource.find(({ type }: { type: string }) => type === 'Patient')
    expect(patient.searchParam).toEqual([{ name: '_id', type: 'token' }])
    const practitioner = rest.resource.find(({ type }: { type: string }) => type === 'Practitioner')
    const codes = practitioner.interaction.map(({ code }: { code: string }) => code)
    expect(codes).toEqual(['read', 'vread', 'history-instance'])
  })

  it('says of each type what may be done with it, as the tables do', async () => {
    const { body } = await get('/metadata').expect(200)
    const [{ resource, interaction }] = body.rest
    const observation = resource.find(({ type }: { type: string }) => type === 'Observation')
    expect(observation).toMatchObject({
      ...{ versioning: 'versioned-update', updateCreate: false, conditionalDelete: 'single' },
      ...{ conditionalCreate: true, conditionalUpdate: true },
    })
    expect(observation.interaction.map(({ code }: { code: string }) => code)).toEqual([
      ...[
        'read',
        'vread',
        'history-instance',
        'search-type',
        'create',
        'update',
        'patch',
        'delete',
      ],
    ])
    expect(body.patchFormat).toEqual(['application/json-patch+json'])
    expect(interaction).toEqual([{ code: 'batch' }, { code: 'transaction' }])
    expect(
      resource.find(({ type }: { type: string }) => type === 'Encounter').searchInclude,
    ).toEqual(['Encounter:service-provider'])
  })

  it('is asked of the record once', async () => {
    await Promise.all([get('/metadata').expect(200), get('/metadata').expect(200)])
    expect(world.upstream).toEqual([])
  })

  it('is not to be written', async () => {
    expect((await request(world.app).post('/fhir/metadata')).status).toBe(403)
  })
})
