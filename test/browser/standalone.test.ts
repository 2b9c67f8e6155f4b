/** An app of somebody else's, by the SMART library for browsers: it begins a launch itself, or is launched from the record. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { linkOf } from '../launching.js'
import { row } from '../standalone.js'
import { violations } from './accessibility.js'
import { addressOf, type Browser, openChromium, openSite, type Site } from './chromium.js'
import { shoot } from './demonstration.js'

jest.setTimeout(120_000)

const LIBRARY = readFileSync(join(process.cwd(), 'node_modules/fhirclient/build/fhir-client.js'))
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.r'

const page = (script: string): string =>
  `<!doctype html><html lang="en"><title>Their app</title><script src="/fhir-client.js"></script><main id="out"></main><script>${script}</script></html>`

const LAUNCH = (iss: string) =>
  `FHIR.oauth2.authorize(${JSON.stringify({
    ...{ clientId: 'theirs', scope: SCOPE, iss, redirectUri: '/index.html' },
  })})`

/** As the record launches it: server and launch are in the address. */
const EHR_SCOPE = 'launch openid fhirUser online_access patient/Patient.r'
const EHR_LAUNCH = `FHIR.oauth2.authorize(${JSON.stringify({
  ...{ clientId: 'theirs', scope: EHR_SCOPE, redirectUri: '/index.html' },
})})`

/** Reads the patient, renews, and reads again. */
const INDEX = `FHIR.oauth2.ready().then(async (client) => {
  const before = client.state.tokenResponse.access_token
  const first = await client.patient.read()
  await client.refresh()
  const second = await client.patient.read()
  document.getElementById('out').textContent = [
    first.name[0].family, second.id === client.patient.id, client.user.fhirUser,
    client.state.tokenResponse.access_token !== before,
  ].join(' | ')
}).catch((error) => { document.getElementById('out').textContent = 'failed: ' + error.message })`

let t: TestGateway
let site: Site
let browser: Browser
beforeAll(async () => {
  site = await openSite('app.localhost')
  const app = row({
    ...{ id: 'theirs', type: 'public', scopes: [...new Set(`${SCOPE} ${EHR_SCOPE}`.split(' '))] },
    ...{ redirect_uris: [`${site.origin}/index.html`], launch_urls: [`${site.origin}/ehr.html`] },
  })
  t = await openTestGateway({
    store: 'embedded',
    change: (c) => ({
      apps: [...c.apps, app],
      systems: c.systems.map((system) => ({ ...system, apps: [...system.apps, 'theirs'] })),
    }),
  })
  site.serve((req, res) => {
    const script = req.url?.startsWith('/fhir-client.js')
    res.setHeader('content-type', script ? 'text/javascript' : 'text/html')
    if (script) res.end(LIBRARY)
    else if (req.url?.startsWith('/ehr')) res.end(page(EHR_LAUNCH))
    else res.end(page(req.url?.startsWith('/launch') ? LAUNCH(`${t.issuer}/fhir`) : INDEX))
  })
  browser = await openChromium()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await site?.close()
  await t?.close()
})

describe('fhirclient, launched by itself', () => {
  it('signs its user on, lets them name a patient, reads, and renews', async () => {
    const window = await browser.context.newPage()
    // The provider dates a sign-in by the machine's clock.
    await t.clock.catchUp()
    await window.goto(`${site.origin}/launch.html`)
    await window.getByLabel('Dr Amara Okafor').check()
    await window.getByRole('button', { name: 'Continue' }).click()
    await window.getByRole('heading', { name: 'Whose plan do you want to open?' }).waitFor()
    expect(await violations(window)).toEqual([])
    await shoot(window, 'choose-patient')
    await window.getByLabel('NHS number').fill('999 000 0018')
    await window.getByLabel('Day').fill('1')
    await window.getByLabel('Month').fill('1')
    await window.getByLabel('Year').fill('1938')
    await window.getByRole('button', { name: 'Open the plan' }).click()
    await window.getByRole('alert').waitFor()
    expect(await violations(window)).toEqual([])
    await shoot(window, 'choose-patient-error')
    await window.getByLabel('NHS number').fill('999 000 0018')
    await window.getByLabel('Day').fill('14')
    await window.getByLabel('Month').fill('3')
    await window.getByLabel('Year').fill('1938')
    await window.getByRole('button', { name: 'Open the plan' }).click()
    const out = window.locator('#out')
    await out.getByText('|').waitFor()
    expect(await out.textContent()).toBe('Ashworth | true | Practitioner/555254239101 | true')
    expect(addressOf(window)).not.toMatch(/code=|launch=|999/)
    await window.close()
  })

  it('is offered the patient again, without another sign-in', async () => {
    const window = await browser.context.newPage()
    await window.goto(`${site.origin}/launch.html`)
    await window.getByRole('heading', { name: 'Opened lately by you' }).waitFor()
    expect(await violations(window)).toEqual([])
    await shoot(window, 'choose-recent')
    await window.getByRole('button', { name: /NHS No\. 999 000 0018, born 14-Mar-1938/ }).click()
    await window.locator('#out').getByText('Ashworth').waitFor()
    await window.close()
  })
})

describe('fhirclient, launched from the record', () => {
  it('is opened for the patient in the chart, reads, and renews', async () => {
    const window = await browser.context.newPage()
    await window.goto((await linkOf(t, { system: 'gp-push', app: 'theirs' })).href)
    const out = window.locator('#out')
    await out.getByText('|').waitFor()
    expect(await out.textContent()).toBe('Ashworth | true | Practitioner/555254239101 | true')
    expect(addressOf(window)).not.toMatch(/code=|launch=|999/)
    const given: string[] = []
    for await (const { what, app, detail } of t.running.store.trail())
      if (what === 'token_issued' && app === 'theirs') given.push(String(detail?.by))
    expect(given.slice(-2)).toEqual(['authorization_code', 'refresh_token'])
    await window.close()
  })
})
