/**
 * Serves the care-plan app: static files and two made documents, `config.json` and `plan.json`. Any web server could do it;
 * the headers are the part that a deployment has to repeat.
 */
import express, { type Express } from 'express'
import helmet from 'helmet'
import type { Plan } from '../core/plan.js'

export interface AppServer {
  /** Where the app's tokens and calls may go, and nowhere else. */
  readonly gatewayOrigin: string
  /** FHIR bases that the app believes a launch from. */
  readonly issuers: readonly string[]
  readonly clientId: string
  /** Origins that may frame the app: those of its launch systems, together. */
  readonly frameAncestors: readonly string[]
  readonly emergencyText: string
  readonly plan: Plan
  /** The directory of the built files. */
  readonly root: string
}

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text

function policy({ gatewayOrigin, frameAncestors }: AppServer): Record<string, string[]> {
  for (const origin of [gatewayOrigin, ...frameAncestors]) {
    if (!isOrigin(origin)) throw new TypeError(`not an origin: "${origin}"`)
  }
  // biome-ignore format: a table
  return {
    'default-src':     ["'none'"],
    'script-src':      ["'self'"],
    'style-src':       ["'self'"],
    'connect-src':     ["'self'", gatewayOrigin],
    'img-src':         ["'self'", 'data:'],
    'font-src':        ["'self'"],
    'form-action':     ["'self'"],
    'base-uri':        ["'none'"],
    'frame-ancestors': frameAncestors.length > 0 ? [...frameAncestors] : ["'none'"],
  }
}

/**
 * @throws TypeError for an ancestor or gateway that is not a plain origin: a typing error there would
 * quietly frame the app wherever the browser guesses
 */
export function createAppServer(setup: AppServer): Express {
  const { issuers, clientId, emergencyText, plan, root } = setup
  const app = express()
  app.disable('x-powered-by')
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: policy(setup) },
      // Helmet's default forbids every frame; `frame-ancestors` says which.
      xFrameOptions: false,
      referrerPolicy: { policy: 'no-referrer' },
      // Transport security is the business of whoever ends TLS.
      strictTransportSecurity: false,
    }),
  )
  app.get('/config.json', (_, res) => {
    res.set('Cache-Control', 'no-store').json({ issuers, clientId, emergencyText })
  })
  app.get('/plan.json', (_, res) => void res.set('Cache-Control', 'no-cache').json(plan))
  const setHeaders = (res: { setHeader(name: string, value: string): unknown }, path: string) => {
    // Pages must not come back out of a cache with somebody else's patient; files may, once checked.
    res.setHeader('Cache-Control', path.endsWith('.html') ? 'no-store' : 'no-cache')
  }
  app.use(express.static(root, { setHeaders, index: 'index.html', redirect: false }))
  app.use((_, res) => {
    res.status(404).set('Cache-Control', 'no-store').type('text').send('Not found')
  })
  return app
}
