/**
 * The console's two cookies, neither of them a clinician's. `__Host-console` names the session and is `Strict`: no
 * page of another site can make a browser send it. The provider's answer comes from another site, so the journey
 * there is bound by a cookie of its own, `Lax` and short, that opens nothing.
 */
import type { Request, Response } from 'express'
import { newSecret } from '../core/ids.js'
import type { Random, Seconds } from '../core/values.js'

const SESSION = '__Host-console'
const JOURNEY = '__Host-console-sign-in'
const ALWAYS = 'Path=/; Secure; HttpOnly'

/** The one value of this name, if it looks like ours. Two of them are none: one would be somebody else's. */
function readCookie(req: Request, name: string, prefix: string): string | undefined {
  const header = req.get('cookie') ?? ''
  if (header.length > 16_384) return undefined
  const values = header
    .split(';')
    .map((pair) => pair.trim().split('='))
    .filter(([key]) => key === name)
    .map(([, value = '']) => value)
  const [value = ''] = values
  return values.length === 1 && new RegExp(`^${prefix}_[\\w-]{32}$`).test(value) ? value : undefined
}

export const sessionCookie = (req: Request) => readCookie(req, SESSION, 'con')
export const journeyCookie = (req: Request) => readCookie(req, JOURNEY, 'coj')

/** A new secret in the session's cookie, which goes when the browser is closed. */
export function giveSession(res: Response, random: Random): string {
  const secret = newSecret('con', random)
  res.append('Set-Cookie', `${SESSION}=${secret}; ${ALWAYS}; SameSite=Strict`)
  return secret
}

export function giveJourney(res: Response, random: Random, lifetime: Seconds): string {
  const secret = newSecret('coj', random)
  res.append('Set-Cookie', `${JOURNEY}=${secret}; Max-Age=${lifetime}; ${ALWAYS}; SameSite=Lax`)
  return secret
}

export function takeSession(res: Response): void {
  res.append('Set-Cookie', `${SESSION}=; Max-Age=0; ${ALWAYS}; SameSite=Strict`)
}

export function takeJourney(res: Response): void {
  res.append('Set-Cookie', `${JOURNEY}=; Max-Age=0; ${ALWAYS}; SameSite=Lax`)
}
