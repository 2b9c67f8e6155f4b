/** The desktop with everything around it, each on a free port: for tests of the whole. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { createDesktop } from '../../src/demo/desktop.js'
import type { LaunchingUser } from '../../src/demo/desktop-launches.js'
import { demoSystems, launchSystemRows } from '../../src/demo/desktop-systems.js'
import { createTap } from '../../src/demo/desktop-tap.js'
import { everyone } from '../../src/demo/population/population.js'
import {
  APP_PAGE,
  close,
  type Listening,
  listen,
  pretendGateway,
} from './desktop-pretend-gateway.js'

export const USERS: readonly LaunchingUser[] = (
  parse(await readFile('config/demo/people.yaml', 'utf8')) as { users: LaunchingUser[] }
).users

/** @param gateway `false` leaves it out: nothing listens where it should be */
export async function openScene(pages: string, { gateway: stands = true } = {}) {
  const clock = () => Date.now()
  const random = (bytes: number) => randomBytes(bytes)
  const dataDir = await mkdtemp(join(tmpdir(), 'desktop-'))
  const systems = await demoSystems(dataDir)
  const tap = createTap(clock)
  const record = new Map(everyone().map(({ nhsNumber, birthDate }) => [nhsNumber, birthDate]))
  const app = await listen(() => (_req, res) => {
    res.setHeader('content-type', 'text/html').end(APP_PAGE)
  })
  // The gateway and the desktop name each other: each asks for the other's origin when it needs it.
  const late = { desktop: '' }
  let pretend: Awaited<ReturnType<typeof pretendGateway>> | undefined
  const gateway = await listen(() => (req, res) => pretend && tap.wrap(pretend.app)(req, res))
  pretend = await pretendGateway({
    ...{ origin: gateway.origin, app: app.origin, clock, random, record },
    systems: () => launchSystemRows(systems, late.desktop),
  })
  if (!stands) await close(gateway)
  const { trail } = pretend
  const desktop = await listen((origin) => {
    late.desktop = origin
    return createDesktop({
      ...{
        origin,
        gateway: { origin: gateway.origin },
        app: { origin: app.origin, id: 'care-plan' },
      },
      ...{ systems, users: USERS, patients: everyone, clock, random, tap, pages },
      async *search({ from = 0 }) {
        yield* trail.filter(({ at }) => at >= from)
      },
    })
  })
  const listeners: readonly Listening[] = stands ? [app, gateway, desktop] : [app, desktop]
  return {
    ...{ desktop: desktop.origin, gateway: gateway.origin, app: app.origin, trail, tap, systems },
    async close() {
      await Promise.all(listeners.map(close))
      await rm(dataDir, { recursive: true })
    },
  }
}
