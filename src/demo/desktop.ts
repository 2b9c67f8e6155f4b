/**
 * The pretend GP desktop: four GP systems on one page, each with its own way to launch, and beside the
 * chart the launch inspector. For the demonstration only; it talks to the gateway as any GP system does.
 */
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  Router,
} from 'express'
import helmet from 'helmet'
import { newId } from '../core/ids.js'
import type { Clock, Random } from '../core/values.js'
import { roleTitle } from './desktop-chart.js'
import { type DeliveryParts, deliver, GatewayUnreachable } from './desktop-delivery.js'
import { FAULTS, type FaultName, faultsOf, isFault } from './desktop-faults.js'
import { type Finder, finding, openFinder } from './desktop-finder.js'
import { inspect, sentLaunches, type TrailSearch } from './desktop-inspection.js'
import type { SentLaunch } from './desktop-inspector.js'
import type { Launch, LaunchingSystem, LaunchingUser } from './desktop-launches.js'
import { closePlan } from './desktop-outcome.js'
import { createSmartServer } from './desktop-smart-server.js'
import {
  type DemoSystems,
  issuerOf,
  PORTRAITS,
  SYSTEM_IDS,
  type SystemId,
} from './desktop-systems.js'
import type { Tap } from './desktop-tap.js'
import type { DemoPatient } from './patient.js'

export interface DesktopParts {
  readonly origin: string
  readonly gateway: { readonly origin: string }
  readonly app: { readonly origin: string; readonly id: string }
  readonly systems: DemoSystems
  readonly users: readonly LaunchingUser[]
  /** Looked at when somebody asks: those whom a newcomer begins with first. */
  readonly patients: () => readonly DemoPatient[]
  readonly clock: Clock
  readonly random: Random
  readonly search: TrailSearch
  readonly tap: Pick<Tap, 'events' | 'launchOf'>
  /** Directory of index.html, desktop.js and desktop.css. */
  readonly pages: string
  readonly fetch?: typeof fetch
}

/** `gp-push` signs with the key of `gp-post` when it is to sign wrongly, and so round. */
const launching = (systems: DemoSystems, id: SystemId): LaunchingSystem => ({
  ...{ id, rung: PORTRAITS[id].rung, key: systems[id].key, claims: PORTRAITS[id].claims },
  otherKey: systems[id === 'gp-push' ? 'gp-post' : 'gp-push'].key,
})

/** What the page is made of. Synthetic, and only ever in a body. */
function contents({ users, app, gateway }: DesktopParts, finder: Finder) {
  return {
    gateway: gateway.origin,
    app: app.id,
    systems: SYSTEM_IDS.map((id) => {
      const { name, rung, how } = PORTRAITS[id]
      return { id, name, rung, how, faults: faultsOf(rung) }
    }),
    users: users.map((user) => ({
      ...{ id: user.id, name: user.name, title: roleTitle(user), organization: user.org },
    })),
    found: finder.find({ words: '', page: 1 }),
    faults: Object.entries(FAULTS).map(([name, { title, does, expected }]) => ({
      ...{ name, title, does, expected },
    })),
  }
}

class Unknown extends Error {}

/** A launch as the page asks for it: every name is one that we know, or it is refused. */
function readOrder(parts: DesktopParts, finder: Finder, body: unknown) {
  const order = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const system = SYSTEM_IDS.find((id) => id === order.system)
  const user = parts.users.find(({ id }) => id === order.user)
  const patient = finder.patientOf(order.patient)
  if (!system) throw new Unknown('system')
  if (!user) throw new Unknown('user')
  if (!patient) throw new Unknown('patient')
  const fault = order.fault ?? undefined
  if (fault !== undefined && !(isFault(fault) && faultsOf(PORTRAITS[system].rung).includes(fault)))
    throw new Unknown('fault')
  return { system, user, patient, chart: String(order.patient), fault: fault as FaultName }
}

/** The page's own calls, and those of programs that are no browsers. @see Fetch Metadata, Sec-Fetch-Site */
const ownPageOnly: RequestHandler = (req, res, next) => {
  const site = req.get('sec-fetch-site')
  if (site === undefined || site === 'same-origin') next()
  else res.status(403).json({ error: 'other_site' })
}

async function launchOrder(
  parts: DesktopParts,
  finder: Finder,
  delivery: DeliveryParts,
  req: Request,
) {
  const { system, user, patient, chart, fault } = readOrder(parts, finder, req.body)
  const { clock, random } = parts
  const launch: Launch = {
    ...{ system: launching(parts.systems, system), user, patient, clock, random },
    ...{ app: parts.app.id, gateway: parts.gateway.origin },
    ...(fault === undefined ? {} : { fault }),
  }
  const { delivered, sent } = await deliver(delivery, system, launch, chart)
  const kept: SentLaunch = {
    ...{ ...sent, id: newId('snt', random), system, chart },
    ...(fault === undefined ? {} : { fault }),
  }
  return { delivered, kept }
}

/**
 * Frames hold the gateway, the app and, while a SMART handle is redeemed, this origin itself. A form that
 * is posted to the gateway is redirected to the app, and `form-action` is asked of both.
 */
const headers = ({ gateway, app }: DesktopParts): RequestHandler =>
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        ...{ scriptSrc: ["'self'"], styleSrc: ["'self'"], connectSrc: ["'self'"] },
        imgSrc: ["'self'", 'data:'],
        frameSrc: ["'self'", gateway.origin, app.origin],
        formAction: ["'self'", gateway.origin, app.origin],
        ...{ baseUri: ["'none'"], frameAncestors: ["'self'"] },
      },
    },
    // The care plan's frame opens the sign-in window, which must keep its opener.
    crossOriginOpenerPolicy: false,
    strictTransportSecurity: false,
  })

const refuse: ErrorRequestHandler = (error, _req, res, next) => {
  if (error instanceof Unknown) {
    res.status(400).json({ error: 'unknown', error_description: `No such ${error.message}.` })
  } else if (error?.type?.startsWith?.('entity.')) {
    res.status(error.status).json({ error: 'unreadable' })
  } else if (!(error instanceof GatewayUnreachable)) next(error)
  else {
    const error_description = 'The gateway could not be reached.'
    res.status(502).json({ error: 'gateway_unreachable', error_description })
  }
}

function patientCalls(finder: Finder): Router {
  const router = Router()
  router.post('/', (req, res) => {
    const asked = finding.safeParse(req.body)
    const error_description = 'Write 80 characters at most.'
    if (asked.success) res.json(finder.find(asked.data))
    else res.status(400).json({ error: 'invalid', error_description })
  })
  router.get('/:chart', (req, res) => {
    const chart = finder.chartOf(req.params.chart)
    const error_description = 'There is no such chart.'
    if (chart) res.json(chart)
    else res.status(404).json({ error: 'not_found', error_description })
  })
  return router
}

/** The desktop as an Express app, the authorization server of `gp-smart` included. */
export function createDesktop(parts: DesktopParts): express.Express {
  const { origin, gateway, clock, random } = parts
  const smart = createSmartServer({
    ...{ issuer: `${origin}/smart`, gateway: gateway.origin, clock, random },
    system: launching(parts.systems, 'gp-smart'),
  })
  const delivery: DeliveryParts = {
    ...{ desktop: origin, gateway: gateway.origin, app: parts.app.origin, smart },
    fetch: parts.fetch ?? fetch,
  }
  const launches = sentLaunches()
  const finder = openFinder(parts.patients)
  const app = express()
  app.disable('x-powered-by').use(headers(parts))
  app.use('/smart', smart.router)
  app.use('/api', ownPageOnly, express.json({ limit: '4kb' }), (_req, res, next) => {
    res.set('Cache-Control', 'no-store')
    next()
  })
  app.get('/api/desktop', (_req, res) => void res.json(contents(parts, finder)))
  app.use('/api/patients', patientCalls(finder))
  app.post('/api/launch', async (req, res) => {
    const { delivered, kept } = await launchOrder(parts, finder, delivery, req)
    launches.keep(kept)
    res.json({ sent: kept.id, ...delivered })
  })
  app.get('/api/launches/:id', async (req, res) => {
    const sent = launches.find(req.params.id)
    if (sent) res.json(await inspect(parts, sent))
    else res.status(404).json({ error: 'not_found' })
  })
  app.post('/api/launches/:id/close', async (req, res) => {
    const sent = launches.find(req.params.id)
    const patient = sent && finder.patientOf(sent.chart)
    if (!sent || !patient) return void res.status(404).json({ error: 'not_found' })
    const system = launching(parts.systems, sent.system)
    const own = { ...system, id: issuerOf(sent.system, origin) }
    res.json(await closePlan({ ...parts, fetch: delivery.fetch }, own, sent, patient.nhsNumber))
  })
  app.use(express.static(parts.pages, { index: 'index.html', maxAge: 0 }))
  app.use((_req, res) => void res.status(404).type('text').send('Nothing is here.'))
  app.use(refuse)
  return app
}
