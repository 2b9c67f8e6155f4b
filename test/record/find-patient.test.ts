import type { RequestListener, Server } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { BirthDate, NhsNumber } from '../../src/core/context.js'
import { openRecord, type SharedRecord } from '../../src/record/record.js'
import { close, date, listen, openWorld, PEGGY, patient } from '../proxy/world.js'

const NAMESPACE = 'https://fhir.nhs.uk/Id/nhs-number'
const number = (text: string) => text as NhsNumber
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function demonstration() {
  const world = await openWorld()
  ends.push(() => world.end())
  return world
}

const resource = (more: object = {}) => ({
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ system: NAMESPACE, value: '9990000018' }],
  birthDate: '1938-03-14',
  ...more,
})
const bundle = (...resources: object[]) => ({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: resources.map((each) => ({ resource: each, search: { mode: 'match' } })),
})
const ehr = (subject: string, more: object = {}) => ({
  ehr_id: { value: PEGGY.ehrId },
  ehr_status: { subject: { external_ref: { id: { value: subject }, namespace: NAMESPACE } } },
  ...more,
})

interface Script {
  /** Answers by `METHOD /path`, the query left off. */
  readonly [call: string]: object | RequestListener
}

/** A record that a test writes by hand. */
async function scripted(script: Script, timeoutMs = 5_000): Promise<SharedRecord> {
  const { server, origin } = await listen((req, res) => {
    const answer = script[`${req.method} ${(req.url ?? '').split('?')[0]}`]
    if (typeof answer === 'function') return answer(req, res)
    res.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    return res.end(JSON.stringify(answer ?? { message: 'none', code: 404 }))
  })
  return opened(server, origin, timeoutMs)
}

function opened(server: Server, origin: string, timeoutMs: number): SharedRecord {
  const record = openRecord({
    clock: Date.now,
    fhir: { base: `${origin}/fhir`, timeoutMs },
    openehr: {
      base: `${origin}/openehr`,
      subjectNamespace: NAMESPACE,
      ifMatch: 'quoted',
      timeoutMs,
    },
    limits: { bytes: 20_000 },
  })
  ends.push(() => close(server), record.close)
  return record
}

/** By which an openEHR server shows what it is. */
const DEFINITION = 'GET /openehr/definition/query/care-plan::sections'
const openEhr = { [DEFINITION]: [{ name: 'care-plan::sections', type: 'AQL', q: 'SELECT c' }] }

const SEARCH = 'POST /fhir/Patient/_search'
const EHR = 'GET /openehr/ehr'
const peggy = (record: SharedRecord) => record.findPatient(number('9990000018'), date('1938-03-14'))
const refusal = (code: string) => expect.objectContaining({ name: 'Refusal', code })

describe('finding the patient of a launch in the demonstration’s record', () => {
  it('finds the patient by number and birth date, with the EHR', async () => {
    const { record } = await demonstration()
    expect(await peggy(record)).toEqual({
      fhirId: PEGGY.fhirId,
      ehrId: PEGGY.ehrId,
      nhsNumber: '9990000018',
      deceased: false,
      sensitive: false,
    })
  })

  it('costs one call to each server, and puts the number into no FHIR address', async () => {
    const { record, upstream } = await demonstration()
    await peggy(record)
    expect(upstream.map(({ method, url }) => `${method} ${url.split('?')[0]}`).toSorted()).toEqual([
      'GET /record/openehr/v1/ehr',
      'POST /record/fhir/Patient/_search',
    ])
    const fhir = upstream.find(({ url }) => url.includes('/fhir/'))
    expect(fhir?.url).not.toContain('9990000018')
  })

  it.each([
    ['without an EHR', '9990000026', { deceased: false, sensitive: false }],
    ['who is sensitive', '9990000034', { sensitive: true }],
    ['who has died', '9990000042', { deceased: true }],
  ])('finds a patient %s', async (_, nhsNumber, expected) => {
    const { record } = await demonstration()
    const { birthDate, ehrId } = patient(nhsNumber)
    const found = await record.findPatient(number(nhsNumber), date(birthDate))
    expect(found).toMatchObject({ nhsNumber, ...expected })
    expect(found.ehrId ?? '').toBe(ehrId)
  })

  it('follows a superseded number to the current record and its EHR', async () => {
    const { record } = await demonstration()
    expect(await record.findPatient(number('9990000050'), date('1938-03-14'))).toEqual({
      fhirId: PEGGY.fhirId,
      ehrId: PEGGY.ehrId,
      nhsNumber: '9990000018',
      supersededNumber: '9990000050',
      deceased: false,
      sensitive: false,
    })
  })

  it('refuses a birth date that is not the record’s, also the one that the GP system holds', async () => {
    const { record } = await demonstration()
    const { gpBirthDate } = patient('9990000069')
    await expect(record.findPatient(number('9990000069'), date(gpBirthDate ?? ''))).rejects.toEqual(
      refusal('patient_mismatch'),
    )
    await expect(record.findPatient(number('9990000018'), date('1938-03-15'))).rejects.toEqual(
      refusal('patient_mismatch'),
    )
  })

  it('refuses a number that nobody in the record has', async () => {
    const { record } = await demonstration()
    await expect(record.findPatient(number('9990000131'), date('1938-03-14'))).rejects.toEqual(
      refusal('patient_unknown'),
    )
  })
})

describe('finding the patient, when what comes back is odd', () => {
  const known = { [EHR]: ehr('9990000018') }
  const link = (id: string) => [{ type: 'replaced-by', other: { reference: id } }]

  it('compares the birth date with the current record, not with the superseded one', async () => {
    const script = (current: string, old: string) => ({
      [SEARCH]: bundle(resource({ id: 'old', birthDate: old, link: link('Patient/new') })),
      'GET /fhir/Patient/new': resource({
        id: 'new',
        birthDate: current,
        identifier: [{ system: NAMESPACE, value: '9990000026' }],
      }),
      [EHR]: ehr('9990000026'),
    })
    await expect(peggy(await scripted(script('1938-03-13', '1938-03-14')))).rejects.toEqual(
      refusal('patient_mismatch'),
    )
    expect(await peggy(await scripted(script('1938-03-14', '1900-01-01')))).toMatchObject({
      fhirId: 'new',
      nhsNumber: '9990000026',
      supersededNumber: '9990000018',
    })
  })

  it('knows a number that stands as old on the surviving record', async () => {
    const identifier = [
      { system: NAMESPACE, value: '9990000018', use: 'old' },
      { system: NAMESPACE, value: '9990000026', use: 'official' },
    ]
    const record = await scripted({
      [SEARCH]: bundle(resource({ identifier })),
      [EHR]: ehr('9990000026'),
    })
    expect(await peggy(record)).toMatchObject({
      nhsNumber: '9990000026',
      supersededNumber: '9990000018',
    })
  })

  it('follows three replacements, and gives up at a fourth or a circle', async () => {
    const chain = (length: number) => {
      const script: Record<string, object> = {
        ...known,
        [SEARCH]: bundle(resource({ id: 'p0', link: link('Patient/p1') })),
      }
      for (let at = 1; at <= length; at += 1)
        script[`GET /fhir/Patient/p${at}`] = resource({
          id: `p${at}`,
          ...(at === length ? {} : { link: link(`Patient/p${at + 1}`) }),
        })
      return script
    }
    expect(await peggy(await scripted(chain(3)))).toMatchObject({ fhirId: 'p3' })
    await expect(peggy(await scripted(chain(4)))).rejects.toEqual(refusal('upstream_invalid'))
    const circle = {
      [SEARCH]: bundle(resource({ link: link('Patient/p1') })),
      'GET /fhir/Patient/p1': resource({ link: link('Patient/p1') }),
    }
    await expect(peggy(await scripted({ ...known, ...circle }))).rejects.toEqual(
      refusal('upstream_invalid'),
    )
  })

  it.each([
    ['two matches', bundle(resource(), resource({ id: 'p2' })), 'patient_unknown'],
    ['an invalidated record', bundle(resource({ active: false })), 'patient_unknown'],
    ['no birth date', bundle(resource({ birthDate: undefined })), 'patient_mismatch'],
    ['only a birth year', bundle(resource({ birthDate: '1938' })), 'patient_mismatch'],
    [
      'a patient with another number: a search that was ignored',
      bundle(resource({ identifier: [{ system: NAMESPACE, value: '9990000026' }] })),
      'upstream_invalid',
    ],
    [
      'a number of another system',
      bundle(resource({ identifier: [{ system: 'urn:other', value: '9990000018' }] })),
      'upstream_invalid',
    ],
    [
      'two current numbers',
      bundle(
        resource({
          identifier: [
            { system: NAMESPACE, value: '9990000018' },
            { system: NAMESPACE, value: '9990000026' },
          ],
        }),
      ),
      'upstream_invalid',
    ],
    [
      'a link to another server',
      bundle(resource({ link: link('https://evil.example/Patient/p2') })),
      'upstream_invalid',
    ],
    ['a link to no patient', bundle(resource({ link: link('Patient/../x') })), 'upstream_invalid'],
    ['no id', bundle(resource({ id: undefined })), 'upstream_invalid'],
    ['another resource', bundle({ resourceType: 'Observation', id: 'o' }), 'upstream_invalid'],
    [
      'a search of which a source did not answer',
      {
        ...bundle(),
        entry: [
          {
            resource: {
              resourceType: 'OperationOutcome',
              issue: [{ severity: 'error', code: 'timeout' }],
            },
            search: { mode: 'outcome' },
          },
        ],
      },
      'upstream_invalid',
    ],
    ['a total without a match', { ...bundle(), total: 1 }, 'upstream_invalid'],
    ['entries that are an object', { ...bundle(), entry: {} }, 'upstream_invalid'],
    ['no Bundle', { resourceType: 'OperationOutcome' }, 'upstream_invalid'],
    ['a list', [], 'upstream_invalid'],
  ])('refuses %s', async (_, answer, code) => {
    await expect(peggy(await scripted({ ...known, [SEARCH]: answer }))).rejects.toEqual(
      refusal(code),
    )
  })

  it('looks past what a searchset includes beside its matches', async () => {
    const issue = [{ severity: 'information', code: 'informational' }]
    const outcome = {
      resource: { resourceType: 'OperationOutcome', issue },
      search: { mode: 'outcome' },
    }
    const answer = bundle(resource())
    const record = await scripted({
      ...known,
      [SEARCH]: { ...answer, entry: [...answer.entry, outcome] },
    })
    expect(await peggy(record)).toMatchObject({ fhirId: 'p1' })
  })

  it.each([
    ['R', true],
    ['V', true],
    ['U', false],
    ['N', false],
  ])('reads confidentiality %s as sensitive: %s', async (code, sensitive) => {
    const system = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
    const meta = { security: [{ system, code }] }
    const record = await scripted({ ...known, [SEARCH]: bundle(resource({ meta })) })
    expect(await peggy(record)).toMatchObject({ sensitive })
  })

  it('reads a label of another system, and one that cannot be read, as sensitive', async () => {
    for (const security of [[{ code: 'R' }], { code: 'U' }, ['R']]) {
      const meta = { security }
      const record = await scripted({ ...known, [SEARCH]: bundle(resource({ meta })) })
      expect(await peggy(record)).toMatchObject({ sensitive: true })
    }
  })
})

describe('finding the EHR of a patient who bore another number before', () => {
  const NEW = '9990000018'
  const OLD = '9990000026'
  const identifier = [
    { system: NAMESPACE, value: OLD, use: 'old' },
    { system: NAMESPACE, value: NEW },
  ]
  const OTHER_EHR = { ehr_id: { value: '0b9a3a5e-1111-4222-8333-444455556666' } }
  /** EHRs by the number that is asked for. */
  const byNumber =
    (ehrs: Readonly<Record<string, object>>): RequestListener =>
    (req, res) => {
      const asked = new URL(req.url ?? '', 'http://x').searchParams.get('subject_id') ?? ''
      const found = ehrs[asked]
      res.writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
      res.end(JSON.stringify(found ?? { message: `No EHR found`, code: 404 }))
    }
  const merged = (ehrs: Readonly<Record<string, object>>) =>
    scripted({ [SEARCH]: bundle(resource({ identifier })), [EHR]: byNumber(ehrs), ...openEhr })
  const launched = (record: SharedRecord, by: string) =>
    record.findPatient(number(by), date('1938-03-14'))

  it.each([
    ['the old number', OLD],
    ['the new number', NEW],
  ])('gives the EHR under the current number to a launch with %s', async (_, by) => {
    const found = await launched(await merged({ [NEW]: ehr(NEW) }), by)
    expect(found).toMatchObject({ nhsNumber: NEW, ehrId: PEGGY.ehrId })
  })

  it.each([
    ['the old number', OLD],
    ['the new number', NEW],
  ])(
    'never says "no EHR" to a launch with %s while the plan still lies under the old one',
    async (_, by) => {
      await expect(launched(await merged({ [OLD]: ehr(OLD) }), by)).rejects.toEqual(
        refusal('upstream_invalid'),
      )
    },
  )

  it.each([
    ['the old number', OLD],
    ['the new number', NEW],
  ])('chooses none of two EHRs for a launch with %s', async (_, by) => {
    const two = await merged({ [NEW]: ehr(NEW), [OLD]: ehr(OLD, OTHER_EHR) })
    await expect(launched(two, by)).rejects.toEqual(refusal('upstream_invalid'))
  })

  it('knows a server that answers an old number with the EHR of the current one', async () => {
    const one = await merged({ [NEW]: ehr(NEW), [OLD]: ehr(NEW) })
    expect(await launched(one, OLD)).toMatchObject({ ehrId: PEGGY.ehrId })
    const only = await merged({ [OLD]: ehr(NEW) })
    expect(await launched(only, NEW)).toMatchObject({ ehrId: PEGGY.ehrId })
  })

  it('says "no EHR" when there is none under any of them', async () => {
    expect(await launched(await merged({}), OLD)).not.toHaveProperty('ehrId')
    expect(await launched(await merged({}), NEW)).not.toHaveProperty('ehrId')
  })

  it('asks for the number of a record that was replaced, also as people write it', async () => {
    const link = [{ type: 'replaced-by', other: { reference: 'Patient/new' } }]
    const written = { system: NAMESPACE, value: '999 000 0034', use: 'old' }
    const chain = (ehrs: Readonly<Record<string, object>>) =>
      scripted({
        [SEARCH]: bundle(
          resource({ id: 'old', link, identifier: [{ system: NAMESPACE, value: OLD }, written] }),
        ),
        'GET /fhir/Patient/new': resource({ id: 'new' }),
        [EHR]: byNumber(ehrs),
        ...openEhr,
      })
    expect(await launched(await chain({ [NEW]: ehr(NEW) }), OLD)).toMatchObject({ fhirId: 'new' })
    for (const left of [OLD, '9990000034'])
      await expect(launched(await chain({ [left]: ehr(left) }), OLD)).rejects.toEqual(
        refusal('upstream_invalid'),
      )
  })

  it('tells the trail what is wrong, without a number', async () => {
    const refused = await launched(await merged({ [OLD]: ehr(OLD) }), OLD).catch(
      (error: unknown) => error,
    )
    expect(String(refused)).toContain('another number')
    expect(String(refused)).not.toMatch(/999/)
  })
})

describe('finding the EHR', () => {
  const found = { [SEARCH]: bundle(resource()) }

  it('believes that there is none only when the openEHR server says so', async () => {
    expect(await peggy(await scripted({ ...found, ...openEhr }))).not.toHaveProperty('ehrId')
    const page: RequestListener = (_req, res) =>
      res.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not found</h1>')
    await expect(peggy(await scripted({ ...found, [EHR]: page }))).rejects.toEqual(
      refusal('upstream_invalid'),
    )
  })

  const absent =
    (body: unknown): RequestListener =>
    (_req, res) =>
      res.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify(body))

  it.each([
    ['an API gateway without such a route', { message: 'no Route matched with those values' }],
    ['the same, with an id of the request', { message: 'No route', request_id: 'f00' }],
    ['an API gateway in the cloud', { message: 'Not Found' }],
    ['another', { message: 'Missing Authentication Token' }],
    ['a third', { statusCode: 404, message: 'Resource not found' }],
    [
      'a web framework',
      { timestamp: '2026-11-23T12:00:00Z', status: 404, error: 'Not Found', path: '/ehr' },
    ],
    ['the same, with a message', { status: 404, error: 'x', path: '/ehr', message: 'No EHR' }],
    ['another framework', { statusCode: 404, message: 'Cannot GET /ehr', error: 'Not Found' }],
    ['a third framework', { detail: 'Not Found' }],
    ['a list', []],
    ['an empty object', {}],
    ['null', null],
    ['a message that is no text', { message: { text: 'No EHR' }, code: 404 }],
    ['an empty message', { message: '', code: 404 }],
  ])('does not take the 404 of %s for "no EHR"', async (_, body) => {
    const record = await scripted({ ...found, ...openEhr, [EHR]: absent(body) })
    await expect(peggy(record)).rejects.toEqual(refusal('upstream_invalid'))
  })

  it.each([
    ['with a code', { message: 'EHR not found', code: 404 }],
    ['with a code that is a text', { message: 'EHR not found', code: 'EHR_NOT_FOUND' }],
    ['with the name of its status', { error: 'Not Found', message: 'No EHR found with subject' }],
    ['with other words', { message: 'Cannot find EHR for subject', code: 404 }],
    ['with a message alone', { message: 'Could not find EHR for subject' }],
  ])('believes an openEHR server’s own word %s', async (_, body) => {
    const record = await scripted({ ...found, ...openEhr, [EHR]: absent(body) })
    expect(await peggy(record)).not.toHaveProperty('ehrId')
  })

  it.each([
    ['nothing there', undefined],
    ['a page', (_req, res) => res.writeHead(200).end('<h1>Welcome</h1>')],
    ['another query', [{ name: 'care-plan::other', type: 'AQL' }]],
    ['an empty list', []],
    ['anything', { ok: true }],
    ['no answer', (_req, res) => res.writeHead(503).end()],
  ] as [string, object | RequestListener | undefined][])(
    'believes it only of a base that has the plan’s stored query: not with %s there',
    async (_, definition) => {
      const script = { ...found, [EHR]: absent({ message: 'No EHR', code: 404 }) }
      const record = await scripted(
        definition === undefined ? script : { ...script, [DEFINITION]: definition },
      )
      await expect(peggy(record)).rejects.toEqual(refusal('record_unavailable'))
    },
  )

  it.each([
    ['a list', [{ name: 'care-plan::sections', type: 'AQL', version: '1.0.0' }]],
    ['a list of versions', { versions: [{ name: 'care-plan::sections', version: '1.0.0' }] }],
    ['the definition itself', { name: 'care-plan::sections', q: 'SELECT c FROM EHR e' }],
  ])('knows the stored query by %s', async (_, definition) => {
    const record = await scripted({ ...found, [DEFINITION]: definition })
    expect(await peggy(record)).not.toHaveProperty('ehrId')
  })

  it('refuses the EHR of another subject', async () => {
    for (const answer of [
      ehr('9990000026'),
      ehr('9990000018', {
        ehr_status: {
          subject: { external_ref: { id: { value: '9990000018' }, namespace: 'other' } },
        },
      }),
    ])
      await expect(peggy(await scripted({ ...found, [EHR]: answer }))).rejects.toEqual(
        refusal('upstream_invalid'),
      )
  })

  it('asks for the status when the EHR gives only a reference to it', async () => {
    const reference = ehr('', { ehr_status: { id: { value: 'x' }, type: 'EHR_STATUS' } })
    const status = (subject: string) => ({
      ...found,
      [EHR]: reference,
      [`GET /openehr/ehr/${PEGGY.ehrId}/ehr_status`]: ehr(subject).ehr_status,
    })
    expect(await peggy(await scripted(status('9990000018')))).toMatchObject({ ehrId: PEGGY.ehrId })
    await expect(peggy(await scripted(status('9990000026')))).rejects.toEqual(
      refusal('upstream_invalid'),
    )
    await expect(peggy(await scripted({ ...found, [EHR]: reference }))).rejects.toEqual(
      refusal('upstream_invalid'),
    )
  })

  it('says first that the patient does not match, whatever openEHR says', async () => {
    const busy: RequestListener = (_req, res) => res.writeHead(503).end()
    const record = await scripted({ ...found, [EHR]: busy })
    const wrong = record.findPatient(number('9990000018'), '1938-03-15' as BirthDate)
    await expect(wrong).rejects.toEqual(refusal('patient_mismatch'))
    await expect(peggy(record)).rejects.toEqual(refusal('record_unavailable'))
  })
})

describe('finding the patient, when the record is not well', () => {
  const answers = (status: number, type: string, body: string): RequestListener => {
    return (_req, res) => res.writeHead(status, { 'content-type': type }).end(body)
  }
  const json = 'application/json'
  const silence: RequestListener = () => undefined
  const cut: RequestListener = (_req, res) => {
    res.writeHead(200, { 'content-type': json, 'content-length': '500' })
    res.write('{"resourceType"', () => res.destroy())
  }
  const drip: RequestListener = (_req, res) => {
    res.writeHead(200, { 'content-type': json })
    res.write('{"resourceType"')
  }

  it.each([
    ['silent', silence, 'record_unavailable'],
    ['slow in the middle of an answer', drip, 'record_unavailable'],
    ['cut off in the middle of an answer', cut, 'record_unavailable'],
    ['busy', answers(429, json, '{}'), 'record_unavailable'],
    ['broken', answers(500, json, '{}'), 'record_unavailable'],
    ['away behind its proxy', answers(502, 'text/html', '<h1>502</h1>'), 'record_unavailable'],
    ['not JSON', answers(200, json, '{"resourceType":'), 'upstream_invalid'],
    ['a page', answers(200, 'text/html', '<h1>Welcome</h1>'), 'upstream_invalid'],
    ['empty', answers(200, json, ''), 'upstream_invalid'],
    ['too large', answers(200, json, `{"a":"${'x'.repeat(20_000)}"}`), 'upstream_invalid'],
    ['without the type', answers(404, json, '{}'), 'upstream_invalid'],
    ['against our credential', answers(401, json, '{}'), 'upstream_invalid'],
  ])('says that the record could not answer when it is %s', async (_, listener, code) => {
    const patience = listener === silence || listener === drip ? 100 : 5_000
    const fhirAway = await scripted({ [SEARCH]: listener, [EHR]: ehr('9990000018') }, patience)
    await expect(peggy(fhirAway)).rejects.toEqual(refusal(code))
    const found = { [SEARCH]: bundle(resource()) }
    if (code === 'record_unavailable')
      await expect(peggy(await scripted({ ...found, [EHR]: listener }, patience))).rejects.toEqual(
        refusal(code),
      )
  })

  it('says so when nothing listens there', async () => {
    const { server, origin } = await listen(silence)
    await close(server)
    const record = opened(server, origin, 500)
    await expect(peggy(record)).rejects.toEqual(refusal('record_unavailable'))
  })

  it('follows no redirect', async () => {
    const elsewhere: string[] = []
    const { server, origin } = await listen((req, res) => {
      elsewhere.push(req.url ?? '')
      res.end('{}')
    })
    ends.push(() => close(server))
    const redirect: RequestListener = (_req, res) =>
      res.writeHead(307, { location: `${origin}/fhir/Patient/_search` }).end()
    await expect(peggy(await scripted({ [SEARCH]: redirect }))).rejects.toEqual(
      refusal('upstream_invalid'),
    )
    expect(elsewhere).toEqual([])
  })

  it('asks once more when a kept connection turns out to be closed', async () => {
    let calls = 0
    const record = await scripted({
      [EHR]: ehr('9990000018'),
      [SEARCH]: (req, res) => {
        calls += 1
        if (calls === 1) return req.socket.destroy()
        res.writeHead(200, { 'content-type': json })
        return res.end(JSON.stringify(bundle(resource())))
      },
    })
    expect(await peggy(record)).toMatchObject({ fhirId: 'p1' })
    expect(calls).toBe(2)
  })

  it('never names the number in what it refuses with', async () => {
    const record = await scripted({ [SEARCH]: bundle() })
    const refused = await peggy(record).catch((error: unknown) => error)
    expect(JSON.stringify([refused, String(refused)])).not.toContain('9990000018')
  })
})

describe('asking again what narrows the rights in a record', () => {
  const read = 'GET /fhir/Patient/p1'

  it('tells sensitivity and death as they stand now', async () => {
    const meta = { security: [{ code: 'R' }] }
    for (const [more, flags] of [
      [{}, { sensitive: false, deceased: false }],
      [{ meta }, { sensitive: true, deceased: false }],
      [{ deceasedBoolean: true }, { sensitive: false, deceased: true }],
    ] as const) {
      const record = await scripted({ [read]: resource(more) })
      expect(await record.patientFlags('p1')).toEqual(flags)
    }
  })

  it('refuses a record that was replaced or invalidated since, which needs a new launch', async () => {
    const link = [{ type: 'replaced-by', other: { reference: 'Patient/p2' } }]
    for (const more of [{ link }, { active: false }]) {
      const record = await scripted({ [read]: resource(more), 'GET /fhir/Patient/p2': resource() })
      await expect(record.patientFlags('p1')).rejects.toEqual(refusal('patient_unknown'))
    }
  })

  it('never takes an answer that cannot be used for "neither"', async () => {
    for (const script of [{}, { [read]: resource({ id: 'p2' }) }, { [read]: [] }])
      await expect((await scripted(script)).patientFlags('p1')).rejects.toEqual(
        refusal('upstream_invalid'),
      )
  })
})
