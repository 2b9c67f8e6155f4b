import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeJwt } from 'jose'
import { readNhsNumber } from '../../src/core/nhs-number.js'
import { FAULTS, type FaultName } from '../../src/demo/desktop-faults.js'
import { type Found, openFinder } from '../../src/demo/desktop-finder.js'
import { PORTRAITS, SYSTEM_IDS, type SystemId } from '../../src/demo/desktop-systems.js'
import { PATIENTS } from '../../src/demo/patients.js'
import { everyone } from '../../src/demo/population/population.js'
import { openScene } from './desktop-scene.js'

type Answer = Record<string, unknown> & {
  readonly url?: string
  readonly action?: string
  readonly fields?: readonly { readonly name: string; readonly value: string }[]
}
const finder = openFinder(everyone)
const names = (words: string) =>
  finder.find({ words, page: 1 }).rows.map(({ given, family }) => `${given} ${family}`)

describe('the patient finder', () => {
  it('begins with those whom a newcomer begins with, in their order, and goes on by name', () => {
    const all = Array.from({ length: 11 }, (_, page) => finder.find({ words: '', page: page + 1 }))
    const rows = all.flatMap((found) => found.rows)
    expect(rows).toHaveLength(212)
    expect(rows.slice(0, 12).map(({ nhsNumber }) => nhsNumber)).toEqual(
      PATIENTS.map(({ nhsNumber }) => nhsNumber),
    )
    const families = rows.slice(12).map(({ family }) => family)
    expect(families).toEqual(families.toSorted((a, b) => a.localeCompare(b, 'en')))
    expect(new Set(rows.map(({ chart }) => chart)).size).toBe(212)
    expect(finder.find({ words: '', page: 99 }).page).toBe(11)
  })

  it('knows a patient by part of the name, without accents, by number and by date of birth', () => {
    const [stanislaw, siobhan] = ['Stanisław Jan Kowalczyk', "Siobhán Mary O'Connor"]
    for (const words of [
      'kowal',
      'Stanislaw',
      ' kowalczyk,  stan ',
      '9990000107',
      '999 000 0107',
      '11/02/1949',
      '11.2.1949',
      '11-Feb-1949',
      '11 february 1949',
      '11021949',
      '1949-02-11',
      'kowal 1949',
    ])
      expect([words, names(words)]).toEqual([words, [stanislaw]])
    for (const words of ["o'connor", 'oconnor', 'siobhan', 'connor mary'])
      expect(names(words)).toContain(siobhan)
    expect(names('000 0107')).toEqual([stanislaw])
    // As the GP system holds it, which is not as the record does.
    expect(names('08/05/1946')).toEqual(['Winston Delroy Campbell'])
    expect(names('05/08/1946')).toEqual([])
  })

  it('finds nobody by what is nobody’s', () => {
    for (const words of [
      'zzz',
      '99/99/9999',
      '0000000000',
      '.*',
      '%',
      '<b>',
      '31/02/1949',
      'kowal 1950',
      'owal',
      '1',
    ])
      expect([words, names(words)]).toEqual([words, []])
  })

  it('never fails, whatever is typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (words) => {
        const { rows, total } = finder.find({ words, page: 1 })
        expect(rows.length).toBe(Math.min(total, 20))
      }),
    )
  })
})

interface Look {
  readonly launch?: string
  readonly complete: boolean
  readonly stages: readonly {
    readonly name: string
    readonly state: string
    readonly refusal?: { readonly code: string; readonly reference?: string }
  }[]
}

let scene: Awaited<ReturnType<typeof openScene>>
beforeAll(async () => {
  scene = await openScene('public/desktop')
})
afterAll(() => scene.close())

const ORDER = { system: 'gp-push', user: 'gp', patient: '40101' }
async function order(body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(`${scene.desktop}/api/launch`, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json', ...headers },
  })
  return { status: answer.status, body: (await answer.json().catch(() => ({}))) as Answer }
}
const look = async (sent: unknown) =>
  (await (await fetch(`${scene.desktop}/api/launches/${sent}`)).json()) as Look

/** What a browser would do with the answer, as far as the gateway's first answer. */
async function follow({ style, url, action, fields = [] }: Answer) {
  if (style === 'frame-url') return fetch(url ?? '', { redirect: 'manual' })
  const pairs = fields.map(({ name, value }): [string, string] => [name, value])
  const body = new URLSearchParams(pairs)
  return fetch(action ?? '', { method: 'POST', body, redirect: 'manual' })
}

describe('the GP desktop’s own calls', () => {
  it('refuse a system, a user, a patient or a fault that does not exist, each without a launch', async () => {
    for (const wrong of [
      { system: 'gp-other' },
      { user: 'nobody' },
      { patient: '9990000018' },
      { patient: undefined },
      { fault: 'no-such-fault' },
      { fault: 'constructor' },
      { system: 'gp-smart', fault: 'expired' },
    ])
      expect((await order({ ...ORDER, ...wrong })).status).toBe(400)
    expect((await order('text')).status).toBe(400)
    expect((await order([])).status).toBe(400)
    expect(scene.trail).toHaveLength(0)
  })

  it('are for its own page: another site’s page cannot launch', async () => {
    for (const site of ['cross-site', 'same-site'])
      expect((await order(ORDER, { 'sec-fetch-site': site })).status).toBe(403)
    const plain = { 'content-type': 'text/plain' }
    expect((await order(ORDER, plain)).status).toBe(400)
  })

  it('launch no more than a chart: no NHS number is in any address, for any system, patient or fault', async () => {
    for (const system of SYSTEM_IDS) {
      const faults = (Object.keys(FAULTS) as FaultName[]).filter((name) =>
        Object.hasOwn(FAULTS[name].expected, PORTRAITS[system].rung),
      )
      for (const fault of [undefined, ...faults]) {
        const { status, body } = await order({ ...ORDER, system, ...(fault ? { fault } : {}) })
        expect([system, fault, status]).toEqual([system, fault, 200])
        // But for what the launch is called by: of those ids, one in 370 has ten digits by chance that could be a number.
        const digits = decodeURIComponent(`${body.url ?? ''}${body.action ?? ''}`).replace(
          /\b(?:lnk|hdl)_[0-9a-z]{9}[0-9a-f]{16}\b/,
          '',
        )
        for (const run of digits.match(/\d{10}/g) ?? []) expect(readNhsNumber(run)).toBeUndefined()
      }
    }
    const { found } = (await (await fetch(`${scene.desktop}/api/desktop`)).json()) as {
      found: Found
    }
    for (const { chart } of found.rows) expect(chart).toMatch(/^\d{5}$/)
  })

  it('find patients by what a body says, a page at a time, and give one chart', async () => {
    const find = async (asked: unknown, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${scene.desktop}/api/patients`, {
        ...{ method: 'POST', body: JSON.stringify(asked) },
        headers: { 'content-type': 'application/json', ...headers },
      })
      return { status: answer.status, found: (await answer.json()) as Found }
    }
    const { found } = await find({ words: '', page: 1 })
    expect([found.rows.length, found.total, found.pages]).toEqual([20, 212, 11])
    expect((await find({ words: '', page: 11 })).found.rows).toHaveLength(12)
    const wrong = [
      { words: 'x'.repeat(81), page: 1 },
      { words: 'x', page: 0 },
      { words: 'x', page: 1.5 },
      { words: ['x'], page: 1 },
      { words: 'x' },
      { words: 'x', page: 1, size: 9999 },
      [],
    ]
    for (const asked of wrong) expect([asked, (await find(asked)).status]).toEqual([asked, 400])
    expect((await find({ words: '', page: 1 }, { 'sec-fetch-site': 'cross-site' })).status).toBe(
      403,
    )
    const chart = (of: string) => fetch(`${scene.desktop}/api/patients/${of}`)
    expect(await (await chart('40101')).json()).toMatchObject({ nhsNumber: '9990000018' })
    for (const none of ['9990000018', '40102', '99999', '40094', 'constructor'])
      expect([none, (await chart(none)).status]).toEqual([none, 404])
  })

  it('answer with what each system’s own way needs', async () => {
    const style = async (system: SystemId) => (await order({ ...ORDER, system })).body
    expect(await style('gp-push')).toMatchObject({
      style: 'frame-url',
      url: expect.stringMatching(`^${scene.gateway}/launch/lnk_`),
    })
    const posted = await style('gp-post')
    expect(posted).toMatchObject({ style: 'form-post', action: `${scene.gateway}/launch` })
    expect(decodeJwt(posted.fields?.[0]?.value ?? '').iss).toBe('gp-post')
    const smart = new URL(String((await style('gp-smart')).url))
    expect(smart.origin + smart.pathname).toBe(`${scene.gateway}/launch/smart`)
    expect(smart.searchParams.get('iss')).toBe(`${scene.desktop}/smart`)
    const sealed = await style('gp-sealed')
    expect(sealed.action).toBe(`${scene.gateway}/launch/sealed`)
    expect(sealed.fields?.map(({ name }) => name)).toEqual(['system', 'sealed'])
  })

  it('say so when the gateway cannot be reached', async () => {
    const alone = await openScene('public/desktop', { gateway: false })
    const body = JSON.stringify(ORDER)
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${alone.desktop}/api/launch`, { method: 'POST', body, headers })
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({ error: 'gateway_unreachable' })
    await alone.close()
  })
})

describe('the launch inspector', () => {
  it('finds the launch in the trail and tells how far it has come', async () => {
    for (const system of ['gp-push', 'gp-post']) {
      const { body } = await order({ ...ORDER, system })
      await follow(body)
      const seen = await look(body.sent)
      expect(seen.launch).toMatch(/^lch_/)
      expect(seen.stages.map(({ state }) => state)).toEqual([
        ...['done', 'done', 'done', 'done', 'done', 'waiting', 'waiting', 'waiting', 'waiting'],
      ])
      expect(seen.complete).toBe(false)
    }
  })

  const TOKEN_FAULTS: readonly [SystemId, FaultName, string][] = [
    ['gp-push', 'replay', 'launch_replayed'],
    ['gp-push', 'repeated-parameter', 'parameter_repeated'],
    ['gp-push', 'opened-link', 'link_invalid'],
    ['gp-post', 'replay', 'launch_replayed'],
    ['gp-post', 'repeated-parameter', 'parameter_repeated'],
    ['gp-post', 'clear-text', 'launch_clear_text'],
    ['gp-post', 'birth-date', 'patient_mismatch'],
    ['gp-post', 'unknown-patient', 'patient_unknown'],
    ['gp-post', 'alg-none', 'signature_invalid'],
  ]
  for (const [system, fault, code] of TOKEN_FAULTS) {
    it(`shows ${code} for ${FAULTS[fault].title} from ${PORTRAITS[system].name}, with the page’s reference`, async () => {
      const { body } = await order({ ...ORDER, system, fault })
      if (body.style !== 'refused') await follow(body)
      const seen = await look(body.sent)
      const refused = seen.stages.filter(({ state }) => state === 'refused')
      expect(refused.map(({ refusal }) => refusal?.code)).toEqual([code])
      expect(refused[0]?.refusal?.reference).toMatch(/^ref_/)
      expect(seen.complete).toBe(true)
    })
  }

  it('knows nothing of launches that this desktop did not send', async () => {
    expect((await fetch(`${scene.desktop}/api/launches/snt_other`)).status).toBe(404)
  })
})

describe('the headers of the GP desktop', () => {
  it('let frames hold the gateway and the app, forms lead there, and no script come from elsewhere', async () => {
    const answer = await fetch(scene.desktop)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain(`frame-src 'self' ${scene.gateway} ${scene.app}`)
    expect(policy).toContain(`form-action 'self' ${scene.gateway} ${scene.app}`)
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toContain('unsafe-inline')
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(answer.headers.get('cross-origin-opener-policy')).toBeNull()
  })
})
