/** Whom the gateway tells of its own accord: apps of sign-outs, privacy officers of emergencies. */
import type { Config } from './config.js'
import type { World } from './foundations.js'
import { openOutbound } from './keys/outbound.js'
import { createNotices, type NoticeParts } from './oauth/notices.js'
import { createAlerts } from './session/alerts.js'

/** By calls of its own, so that an app that hangs keeps nobody's keys from being fetched. */
export function openTelling(
  config: Config,
  { clock, random, allowHttp }: World,
  parts: Pick<NoticeParts, 'store' | 'trail' | 'keys' | 'registry' | 'sessions' | 'dropped'>,
) {
  const outbound = openOutbound({ clock, allow: config.outbound.allow, allowHttp })
  const notices = createNotices({ ...parts, clock, random, outbound, issuer: config.issuer })
  const { alert_uri: address } = config.emergency
  const { store, trail, keys } = parts
  const said = { address, issuer: config.issuer }
  const alerts = createAlerts({ store, trail, keys, clock, outbound, ...said })
  const close = async () => {
    await Promise.all([notices.idle(), alerts.idle()])
    await outbound.close()
  }
  return { notices, alerts, close }
}
