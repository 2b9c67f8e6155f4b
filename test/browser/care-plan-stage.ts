/** The care-plan app on its own origin, framed by a third site, before a pretend gateway on a second. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import express from 'express'
import type { Frame, Locator, Page, Request } from 'playwright-core'
import { createAppServer } from '../../src/demo/app-server.js'
import { type Browser, openChromium, openSite, type Site } from './chromium.js'
import { createFakeGateway } from './fake-gateway.js'
import { PLAN as DEFINITIONS, type Scenario, SECTIONS, scopeFor, stored } from './scenario.js'

export const EMERGENCY = 'Ring the single point of access on 020 7946 0999.'

const PLAN = {
  resuscitation: {
    decision: 'do-not-attempt',
    reason: 'CPR would not restart her heart for long, because of advanced heart failure.',
    capacity: 'Mrs Ashworth took part in the decision with her daughter.',
    decided: '2026-03-12',
    review: '2027-03-12',
    'decided-by': 'Dr Helen Marsh, hospice consultant',
  },
  'treatment-escalation': {
    priority: 'comfort',
    recommendations: 'Treat what can be treated at home.\nNo intravenous antibiotics.',
    hospital: 'Only for a broken bone or bleeding that cannot be managed at home.',
  },
  contacts: { 'next-of-kin': 'Ruth Ashworth (daughter), 07700 900123', attorney: 'Ruth Ashworth' },
  'what-matters': { about: 'I kept bees for forty years.', matters: 'To see the garden.' },
}

export function newScenario(changes: Partial<Scenario> = {}): Scenario {
  const sections = Object.entries(PLAN).map(([id, values]) => {
    const one = stored(id, values, 'Dr Helen Marsh', '2026-03-12T14:10:00Z')
    return [SECTIONS.find((section) => section.id === id)?.template ?? '', one] as const
  })
  return {
    patientId: 'pat-1',
    ehrId: 'ehr-1',
    patient: {
      resourceType: 'Patient',
      id: 'pat-1',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }],
      name: [{ use: 'usual', family: 'Ashworth', given: ['Margaret', 'Ellen'], prefix: ['Mrs'] }],
      gender: 'female',
      birthDate: '1938-03-14',
      address: [
        { use: 'home', line: ['14 Canal Terrace'], city: 'Northbank', postalCode: 'NB1 4QT' },
      ],
    },
    index: 'active',
    sections: new Map(sections),
    listings: [],
    scope: scopeFor({ '*': 'cru' }),
    failing: new Map(),
    ended: false,
    idleSeconds: 900,
    endsInSeconds: 12 * 3600,
    userName: 'Dr Amara Okafor',
    unsaved: new Map(),
    log: [],
    cookies: [],
    ...changes,
  }
}

export interface Stage {
  readonly browser: Browser
  readonly app: Site
  readonly gateway: Site
  readonly host: Site
  readonly scenarios: Map<string, Scenario>
  /**
   * The host's page with one frame for each handle, and without the frames of before: a page of its own for each costs as
   * much again as the plan in it. A test that changes the page itself closes it, and the next one has a new page.
   */
  open(handles: readonly string[], width?: string, query?: string): Promise<Page>
  close(): Promise<void>
}

const SHOTS = process.env.SHOTS

/** A picture for people to look at, when `SHOTS` names a directory. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (SHOTS === undefined) return
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: 'disabled' })
}

/** What a person reads there: laid out, and without what is hidden. */
export const seen = (place: Locator): Promise<string> => place.innerText()

export async function frameOf(page: Page, index = 0): Promise<Frame> {
  const handle = await page.waitForSelector(`#frame-${index}`)
  const frame = await handle.contentFrame()
  if (!frame) throw new Error('no frame')
  return frame
}

/** Opens one framed care plan and waits until it shows `page` (`data-page`). */
export async function openPlan(
  stage: Stage,
  handle: string,
  scenario: Scenario,
  shows = 'plan',
  width?: string,
): Promise<{ page: Page; frame: Frame }> {
  stage.scenarios.set(handle, scenario)
  const page = await stage.open([handle], width)
  const frame = await frameOf(page)
  await frame.waitForSelector(`[data-page=${shows}]`)
  return { page, frame }
}

/**
 * Opens a plan in a browser whose clock the test moves. Every call that opening it began has been answered by then:
 * a clock that is moved overtakes the network, and an answer that comes minutes late starts the gateway's patience anew.
 */
export async function openTimed(
  stage: Stage,
  handle: string,
  scenario: Scenario,
  shows = 'plan',
): Promise<{ page: Page; frame: Frame }> {
  stage.scenarios.set(handle, scenario)
  const page = await stage.open([])
  await page.clock.install()
  const answered = callsOf(page)
  await stage.open([handle])
  const frame = await frameOf(page)
  await frame.waitForSelector(`[data-page=${shows}]`)
  await answered()
  return { page, frame }
}

/** Lets the page's time go by, a step at a time as its timers take it, until it shows what is waited for: a minute unless told. */
export async function passUntil(page: Page, shown: Locator, step = 60_000): Promise<void> {
  for (let passed = 0; passed < 60 && (await shown.count()) === 0; passed++)
    await page.clock.runFor(step)
  await shown.waitFor()
}

/** Follows what a page asks for from now on. @returns waits until nothing is under way */
function callsOf(page: Page): () => Promise<void> {
  const underWay = new Set<Request>()
  let calm: () => void = () => undefined
  const over = (request: Request) => {
    underWay.delete(request)
    if (underWay.size === 0) calm()
  }
  const added = (request: Request) => void underWay.add(request)
  page.on('request', added).on('requestfinished', over).on('requestfailed', over)
  return async () => {
    if (underWay.size > 0) {
      await new Promise<void>((resolve) => {
        calm = resolve
      })
    }
    page.off('request', added).off('requestfinished', over).off('requestfailed', over)
  }
}

async function built(): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), 'launch-gateway-public-'))
  const script = pathToFileURL(join(process.cwd(), 'build/bundle.js')).href
  const { buildPublic } = (await import(script)) as {
    buildPublic(out: string, only: readonly string[]): Promise<void>
  }
  await buildPublic(out, ['care-plan'])
  return join(out, 'care-plan')
}

/** @param siteIsolation of its browser */
export async function openStage(siteIsolation = true): Promise<Stage> {
  const sites = await Promise.all([
    openSite('app.localhost'),
    openSite('localhost'),
    openSite('127.0.0.1'),
  ])
  const [app, gateway, host] = sites
  const root = await built()
  const fake = createFakeGateway(gateway.origin, app.origin)
  gateway.serve(fake.app)
  const issuer = `${gateway.origin}/fhir`
  app.serve(
    createAppServer({
      gatewayOrigin: gateway.origin,
      issuers: [issuer],
      clientId: 'care-plan',
      frameAncestors: [host.origin],
      emergencyText: EMERGENCY,
      plan: DEFINITIONS,
      root,
    }),
  )
  host.serve(hostPages())
  const browser = await openChromium({ siteIsolation })
  const addressOf = (launch: string, query?: string) =>
    `${app.origin}/launch.html?${query ?? new URLSearchParams({ iss: issuer, launch })}`
  let page: Page | undefined
  return {
    browser,
    app,
    gateway,
    host,
    scenarios: fake.scenarios,
    open: async (handles, width = '100%', query) => {
      if (!page || page.isClosed()) {
        page = await browser.context.newPage()
        await page.goto(host.origin)
      }
      await page.evaluate(
        framesOf(
          handles.map((handle) => addressOf(handle, query)),
          width,
        ),
      )
      return page
    },
    close: async () => {
      await browser.close()
      await Promise.all(sites.map((site) => site.close()))
      rmSync(dirname(root), { recursive: true })
    },
  }
}

/** The GP system's page. */
function hostPages() {
  const pages = express()
  pages.get('/', (_, res) => {
    res.send(
      '<!doctype html><html lang="en"><title>GP system</title><body style="margin:0"><h1 hidden>GP system</h1><main></main>',
    )
  })
  return pages
}

/** Puts these frames into the host's page, in the place of what stood there: runs in the page. */
function framesOf(addresses: readonly string[], width: string): string {
  const frames = addresses.map(
    (address, i) =>
      `<iframe id="frame-${i}" title="Care plan ${i}" style="border:0;height:98vh;width:${width}"
        src="${address.replaceAll('&', '&amp;')}"></iframe>`,
  )
  return `document.querySelector('main').innerHTML = ${JSON.stringify(frames.join(''))}`
}
