/** index.html: where the gateway sends the browser back to, with `?code=&state=&iss=` or an error. */
import { App } from './app.js'
import { Connection, type Renewal } from './connection.js'
import type { Definitions, Settings } from './definition.js'
import { emergencyEnd } from './emergency.js'
import { SessionGuard } from './guard.js'
import { clockFrom, type SessionClock } from './session-clock.js'
import { showEmergency } from './shell.js'
import { appRoot, finish, type Landed, LaunchProblem } from './smart.js'
import { loadDefinitions, loadSettings, showProblem } from './start.js'
import { claimsOf } from './user.js'

const ENDS = { idle: 'idle', over: 'longest', ended: 'ended' } as const

function clockOf(connection: Connection, issuedAt: unknown): SessionClock {
  const lives = connection.token('expires_in')
  const renewable = typeof connection.token('refresh_token') === 'string'
  const times = {
    idleSeconds: connection.token('__session_idle_seconds'),
    endsAt: connection.token('__session_ends'),
    issuedAt,
    lastSeconds: renewable || typeof lives !== 'number' ? undefined : lives,
  }
  return clockFrom(times, Date.now())
}

function run(landed: Landed, settings: Settings, definitions: Definitions): void {
  const connection = new Connection(landed, () => guard.answered())
  // The gateway's clock against ours, measured once, when both said what time it was.
  const [issuedAt, landedAt] = [claimsOf(connection.token('id_token')).iat, Date.now()]
  const gatewayNow = () =>
    typeof issuedAt === 'number' ? issuedAt + (Date.now() - landedAt) / 1000 : undefined
  const app = new App({ connection, settings, definitions, stop: () => guard.stop() })
  const renew = async (): Promise<Renewal> => {
    const renewal = await connection.renew()
    if (renewal === 'renewed') {
      guard.reset(clockOf(connection, gatewayNow()))
      app.renewed()
    }
    return renewal
  }
  const guard = new SessionGuard(clockOf(connection, issuedAt), {
    renew,
    end: (why) => app.close(ENDS[why]),
    lost: () => app.lost(),
    seen: (sign) => app.seen(sign),
  })
  const offset = typeof issuedAt === 'number' ? landedAt - issuedAt * 1000 : 0
  showEmergency(emergencyEnd((member) => connection.token(member), offset))
  void app.load()
  void app.loadUser()
}

async function land(url: URL): Promise<void> {
  const settings = await loadSettings()
  try {
    const definitions = await loadDefinitions()
    if (!settings || !definitions) throw new Error('config.json or plan.json')
    if (url.search === '') throw new LaunchProblem('over')
    run(await finish(url, settings), settings, definitions)
  } catch (error) {
    showProblem(error, settings)
  }
}

const landing = new URL(location.href)
// Before anything is asked of anyone: no code or state is left in the address, the history or a referrer.
history.replaceState(null, '', appRoot())
void land(landing)
