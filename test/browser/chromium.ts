/**
 * A real browser as a hospital has it: third-party cookies blocked, and origins on different sites.
 * Needs Debian's chromium; `CHROMIUM` names another one.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Milliseconds for one wait, which then says for what it waited: half of what a test is given. */
export const PATIENCE = 60_000

/** How it is started. There is no graphics card, and one that is imitated takes longer to draw than none. */
export const STARTED = {
  executablePath: EXECUTABLE,
  args: ['--no-sandbox', '--disable-gpu'],
  headless: true,
}

/** Chromium's "block third-party cookies": launch flags do not set it, the profile does. */
const BLOCKED = { profile: { cookie_controls_mode: 1, block_third_party_cookies: true } }

export interface Browser {
  readonly context: BrowserContext
  close(): Promise<void>
}

interface Options {
  /** `false` is the lenient browser of a developer. */
  readonly blockThirdPartyCookies?: boolean
  /** `false` lets frames of several sites share a process, a sixth cheaper: where frames and origins are not what is tested. */
  readonly siteIsolation?: boolean
  readonly viewport?: { readonly width: number; readonly height: number }
}

/** @throws Error that says how to get a browser, when there is none: a browser test never skips quietly */
export async function openChromium(options: Options = {}): Promise<Browser> {
  const { blockThirdPartyCookies = true, siteIsolation = true } = options
  const { viewport = { width: 1100, height: 900 } } = options
  if (!existsSync(EXECUTABLE)) {
    throw new Error(
      `No browser at ${EXECUTABLE}: install it (apt-get install chromium) or set CHROMIUM`,
    )
  }
  const profile = await mkdtemp(join(tmpdir(), 'launch-gateway-browser-'))
  await mkdir(join(profile, 'Default'))
  const preferences = blockThirdPartyCookies ? BLOCKED : {}
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
  const context = await chromium.launchPersistentContext(profile, {
    ...STARTED,
    args: [...STARTED.args, ...(siteIsolation ? [] : ['--disable-site-isolation-trials'])],
    viewport,
    locale: 'en-GB',
    timezoneId: 'Europe/London',
  })
  context.setDefaultTimeout(PATIENCE)
  return {
    context,
    close: async () => {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** What the address bar holds, without the ports: those are chance, and may look like part of a patient's number. */
export const addressOf = (page: Page): string => page.url().replaceAll(/(?::|%3A)\d+/gi, '')

/** An origin of its own. The app comes later, because it must know the other origins first. */
export interface Site {
  readonly origin: string
  serve(app: RequestListener): void
  close(): Promise<void>
}

/**
 * Browsers resolve `localhost` and every name below it to this machine, and count `127.0.0.1`,
 * `localhost` and `app.localhost` as three sites.
 */
export async function openSite(host: '127.0.0.1' | 'localhost' | 'app.localhost'): Promise<Site> {
  let app: RequestListener = (_, res) => res.writeHead(503).end()
  const server = createServer((req, res) => app(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://${host}:${port}`,
    serve: (handler) => {
      app = handler
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
