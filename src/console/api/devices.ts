/** A command that wants to act for a member: begun by it, confirmed in the member's browser, then given a bearer. @see RFC 8628 */
import type { Request } from 'express'
import {
  COMMAND_IDLE,
  DEVICE_FOR,
  type DeviceRequest,
  newUserCode,
  POLL_EVERY,
  readUserCode,
  type Vouching,
} from '../../core/console-command.js'
import { hashOf, newSecret } from '../../core/ids.js'
import { Refusal } from '../../core/refusal.js'
import { plainText } from '../../core/text.js'
import { after } from '../../core/values.js'
import { aboutMember, liveSession } from '../members.js'
import type { Visit } from '../page.js'
import type { ConsoleParts } from '../parts.js'
import { newCommand } from './commands.js'

const LONGEST_NAME = 80
/** Of two codes that are alike the second is drawn again. */
const TRIES = 3

/** What a command is told to show and to do. @see RFC 8628 §3.2 */
export async function beginDevice(
  { store, clock, random, issuer }: ConsoleParts,
  req: Request,
  client: string,
) {
  const since = clock()
  const until = after(since, DEVICE_FOR)
  for (let tries = 0; tries < TRIES; tries++) {
    const [secret, code] = [newSecret('dvc', random), newUserCode(random)]
    const [device, userCode] = [hashOf(secret), hashOf(code)]
    const value: DeviceRequest = {
      ...{ client: plainText(client, LONGEST_NAME), address: req.ip ?? '', since, until },
      answer: 'waiting',
    }
    const done = await store.commit({
      claims: [{ what: `user-code/${userCode}`, until }],
      puts: [
        { kind: 'device', id: device, value, until },
        { kind: 'userCode', id: userCode, value: { device }, until },
      ],
    })
    if (!done) continue
    return {
      ...{ device_code: secret, user_code: code, verification_uri: `${issuer}/console/device` },
      ...{ expires_in: DEVICE_FOR, interval: POLL_EVERY },
    }
  }
  throw new Error('no user code was free')
}

export interface Waiting {
  readonly id: string
  readonly device: DeviceRequest
}

/** The command that waits under what a member typed, if one does. */
export async function waitingDevice(
  { store, clock }: Pick<ConsoleParts, 'store' | 'clock'>,
  typed: string,
): Promise<Waiting | undefined> {
  const code = readUserCode(typed)
  const id = code && (await store.get('userCode', hashOf(code)))?.device
  const device = id && (await store.get('device', id))
  if (!id || !device || device.answer !== 'waiting' || clock() >= device.until) return undefined
  return { id, device }
}

/** Answers a command that waits, once. False where somebody did before. */
export function answerDevice(
  { trail }: Pick<ConsoleParts, 'trail'>,
  { id, device }: Waiting,
  answer: 'denied' | Vouching,
  acted: ReturnType<Visit['acted']>,
): Promise<boolean> {
  const { until } = device
  return trail.commit({
    claims: [{ what: `device/${id}`, until }],
    record: [acted],
    puts: [{ kind: 'device', id, value: { ...device, answer }, until }],
  })
}

type Polled = { readonly wait: 'authorization_pending' | 'slow_down' } | { readonly token: object }

const over = (why: string) => new Refusal('device_expired', why)

async function redeem(
  parts: ConsoleParts,
  id: string,
  { client, until: deviceUntil }: DeviceRequest,
  by: Vouching,
): Promise<Polled> {
  if (!parts.policies.mayIssue()) throw new Refusal('policy_stale', 'who has a duty is not known')
  const session = await liveSession(parts, by.key)
  if (session?.id !== by.signOn) throw over('its session is over')
  const { bearer, puts } = newCommand(parts, by, { client, until: session.until })
  const done = await parts.trail.commit({
    claims: [{ what: `device-token/${id}`, until: deviceUntil }],
    record: [
      {
        ...{ what: 'console_opened', outcome: 'success', ...aboutMember(session) },
        detail: { by: 'command', client, assurance: session.member.assurance },
      },
    ],
    puts,
    drops: [{ kind: 'device', id }],
  })
  if (!done) throw new Refusal('device_spent', 'redeemed before')
  return { token: { access_token: bearer, token_type: 'Bearer', expires_in: COMMAND_IDLE } }
}

/** @throws Refusal device_expired, device_spent, device_denied, policy_stale. @see RFC 8628 §3.4, §3.5 */
export async function pollDevice(parts: ConsoleParts, secret: string): Promise<Polled> {
  const { store, clock } = parts
  const id = hashOf(secret)
  const device = await store.get('device', id)
  if (!device || clock() >= device.until) throw over('none that lives')
  const next = { what: `device-poll/${id}`, until: after(clock(), POLL_EVERY - 1) }
  if (!(await store.commit({ claims: [next] }))) return { wait: 'slow_down' }
  if (device.answer === 'waiting') return { wait: 'authorization_pending' }
  if (device.answer === 'denied') throw new Refusal('device_denied', 'by its member')
  return redeem(parts, id, device, device.answer)
}
