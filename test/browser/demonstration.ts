/** The whole demonstration on free ports, and a clinician before it in a real browser. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Frame, Page } from 'playwright-core'
import { demoConfig, demoOrigins, type Origins } from '../../src/demo/configuration.js'
import { type Demo, startDemo } from '../../src/demo/demo.js'
import { PORTRAITS, type SystemId } from '../../src/demo/desktop-systems.js'
import { packageRoot } from '../../src/http/pages.js'
import { createHttpServer } from '../../src/http/server.js'
import { createLog } from '../../src/log.js'
import { type OpenGateway, openGateway } from '../../src/open.js'
import { freePorts } from '../free-ports.js'
import { listen } from '../gateway-surroundings.js'
import { putInForce } from '../policies-in-force.js'
import { type Browser, openChromium } from './chromium.js'

export interface Ward {
  readonly demo: Demo
  readonly origins: Origins
  readonly browser: Browser
  close(): Promise<void>
}

export async function openWard(overrides: Record<string, unknown> = {}): Promise<Ward> {
  const root = packageRoot()
  if (!existsSync(join(root, 'dist/public/desktop/desktop.js'))) {
    throw new Error('The pages are not built: run `npm run build` first')
  }
  const origins = demoOrigins(await freePorts(4))
  const dataDir = await mkdtemp(join(tmpdir(), 'launch-gateway-ward-'))
  const world = { clock: Date.now, random: (n: number) => randomBytes(n), log: createLog('silent') }
  const settings = { root, origins, dataDir, overrides, ...world }
  await putInForce(demoConfig(settings, [], ''), world)
  const demo = await startDemo(settings)
  const browser = await openChromium({ viewport: { width: 1400, height: 1000 } })
  return {
    ...{ demo, origins, browser },
    close: async () => {
      await browser.close()
      await demo.close()
      await rm(dataDir, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** One more node on the ward's store, which must be Redis. */
export interface SecondNode {
  readonly gateway: OpenGateway
  /** What a page asks of the gateway, this node answers; where that leads on elsewhere, the first one does. */
  lead(page: Page): Promise<void>
  /** So many calls to the record. */
  answered(): number
  close(): Promise<void>
}

export async function openSecondNode({ demo, origins }: Ward): Promise<SecondNode> {
  const world = { clock: Date.now, random: (n: number) => randomBytes(n), log: createLog('silent') }
  const gateway = await openGateway(demo.config, { ...world, allowHttp: true })
  let answered = 0
  const server = createHttpServer(gateway.app)
  server.on('request', ({ url = '' }: { url?: string }) => {
    if (/^\/(fhir|openehr)\//.test(url)) answered += 1
  })
  const port = await listen(server)
  return {
    gateway,
    async lead(page) {
      await page.route(`${origins.gateway}/**`, (route) =>
        route.continue({
          url: route.request().url().replace(origins.gateway, `http://localhost:${port}`),
        }),
      )
    },
    answered: () => answered,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await gateway.close()
    },
  }
}

/** A desktop with the patient's chart open: what a clinician has before the click. */
export async function openChart(
  ward: Ward,
  system: SystemId,
  user: string,
  patient: string,
): Promise<Page> {
  const page = await ward.browser.context.newPage()
  await page.goto(ward.origins.desktop)
  await page.locator('#systems').getByText(PORTRAITS[system].name, { exact: true }).click()
  await page.selectOption('#user', user)
  await page.locator('#patients').getByText(patient).first().click()
  return page
}

const FRAME = '#plan iframe'

/** The one click; answers the frame once something that a person can read stands in it. */
export async function openPlan(page: Page): Promise<Frame> {
  await page.click('#open-plan')
  const frame = await (await page.locator(FRAME).elementHandle())?.contentFrame()
  if (!frame) throw new Error('there is no frame')
  await frame.locator('[data-page]:not([data-page=loading]), h1').first().waitFor()
  await frame.locator('[data-page=loading]').waitFor({ state: 'detached' })
  // A heading stands before what follows it.
  await frame.waitForLoadState('domcontentloaded')
  return frame
}

/** What stands in the frame, as a person reads it. */
export const textOf = (frame: Frame): Promise<string> => frame.evaluate('document.body.innerText')

/** A picture for people to look at, when `SHOTS` names a directory. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.SHOTS
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
