/**
 * Tells whoever keeps the privacy officers' alerts of each use of emergency access. What is to be told lies in the
 * store, so it outlives the node; whichever node claims a try makes it. The queue of those to be reviewed
 * (emergencies.ts) does not depend on it.
 */
import type { Trail } from '../audit/trail.js'
import { alertMessage, alertOf, type Emergency, type EmergencyAlert } from '../core/emergency.js'
import type { EmergencyId } from '../core/ids.js'
import { inTurn, isGivenUp, later, NOTICE_LIFE, tried } from '../core/notice.js'
import { after, type Clock } from '../core/values.js'
import { type Outbound, OutboundFailure } from '../keys/outbound.js'
import type { Keys } from '../keys/signing.js'
import type { Put, Store } from '../store/store.js'

interface Parts {
  readonly issuer: string
  readonly store: Store
  readonly trail: Pick<Trail, 'commit'>
  readonly clock: Clock
  readonly outbound: Pick<Outbound, 'tell'>
  readonly keys: Pick<Keys, 'sign'>
  /** Where alerts go; nobody is told where it is left out. */
  readonly address: string | undefined
}

export interface Alerts {
  /** What stores that one is to be told of: for the commit that opens its session. */
  puts(emergency: Emergency): readonly Put[]
  /** Makes the tries whose time has come. To be called every second; calls may overlap. */
  turn(): Promise<void>
  /** Resolves once no call is under way. */
  idle(): Promise<void>
}

/** `typ` of the signed message: no other token of ours is taken for one. @see RFC 8725 §3.11 */
const ALERT_TYPE = 'emergency-alert+jwt'
/** How many a node tells at a time. */
const MOST_AT_ONCE = 10

/** Why it was not heard; `undefined` when it was. */
async function tell(
  { outbound, issuer, keys, clock }: Parts,
  address: string,
  id: EmergencyId,
  alert: EmergencyAlert,
): Promise<string | undefined> {
  try {
    const message = alertMessage(id, alert, issuer)
    // For whoever wants to know that it is ours: everything that stands beside it, and whom it is for.
    const about = { iss: issuer, aud: address, iat: Math.floor(clock() / 1000), jti: id }
    const signed = await keys.sign('ES256', ALERT_TYPE, { ...message, ...about })
    const status = await outbound.tell(address, { ...message, signed })
    return status >= 200 && status < 300 ? undefined : `status ${status}`
  } catch (error) {
    return error instanceof OutboundFailure ? error.message : 'it could not be sent'
  }
}

export function createAlerts(parts: Parts): Alerts {
  const { store, trail, clock, address } = parts
  const busy = new Set<Promise<void>>()
  const putOf = (id: string, value: EmergencyAlert): Put => ({
    ...{ kind: 'alert', id, value, until: after(value.at, NOTICE_LIFE) },
  })

  async function attempt(to: string, id: EmergencyId, value: EmergencyAlert): Promise<void> {
    const now = tried(value, clock())
    // Before the call is made: this node may never come back from it.
    const claims = [{ what: `alert/${id}/${value.tries}`, until: after(value.at, NOTICE_LIFE) }]
    if (!(await store.commit({ claims, puts: [putOf(id, now)] }))) return
    const why = await tell(parts, to, id, now)
    const over = why === undefined || isGivenUp(now)
    await trail.commit({
      record: [
        {
          ...{ what: 'emergency_alerted', outcome: why === undefined ? 'success' : 'failure' },
          launch: value.launch,
          detail: { emergency: id, try: now.tries, ...(why === undefined ? {} : { why }) },
        },
      ],
      ...(over ? { drops: [{ kind: 'alert', id }] } : { puts: [putOf(id, later(now, clock()))] }),
    })
  }

  return {
    puts: (emergency) => (address === undefined ? [] : [putOf(emergency.id, alertOf(emergency))]),
    async turn() {
      if (address === undefined) return
      const now = clock()
      const due = (await store.list('alert')).filter(({ value }) => value.due <= now)
      const chosen = due
        .sort((a, b) => inTurn(a.value, b.value))
        .slice(0, Math.max(0, MOST_AT_ONCE - busy.size))
      await Promise.all(
        chosen.map(({ id, value }) => {
          const done: Promise<void> = attempt(address, id as EmergencyId, value).finally(() =>
            busy.delete(done),
          )
          busy.add(done)
          return done
        }),
      )
    },
    async idle() {
      await Promise.allSettled([...busy])
    },
  }
}
