/**
 * Forms that end something: each that was shown is answered once, and in the browser to which it was shown.
 * Another page cannot post one, because it cannot read the secret in it.
 */
import type { Request, Response } from 'express'
import { hashOf, newSecret } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import type { ShownForm } from '../core/shown-form.js'
import { after, type Clock, type Random, type Seconds } from '../core/values.js'
import type { Sessions } from '../session/sessions.js'
import type { Store } from '../store/store.js'
import { browsersOf, ensureBrowser } from './browser.js'

interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly sessions: Pick<Sessions, 'names'>
  readonly lifetimes: { readonly pending: Seconds }
}

/** The secret that the form carries. */
export async function showForm(
  { store, clock, random, lifetimes }: Parts,
  { req, res }: { readonly req: Request; readonly res: Response },
  form: Omit<ShownForm, 'browser'>,
): Promise<string> {
  const secret = newSecret('frm', random)
  const value = { ...form, browser: ensureBrowser(req, res, random).hash }
  const until = after(clock(), lifetimes.pending)
  await store.commit({ puts: [{ kind: 'form', id: hashOf(secret), value, until }] })
  return secret
}

/**
 * What was shown, for its one answer.
 * @throws Refusal form_invalid
 */
export async function answeredForm(
  { store, clock, sessions, lifetimes }: Parts,
  req: Request,
  secret: string | undefined,
  asks: ShownForm['asks'],
): Promise<ShownForm> {
  const id = hashOf(secret ?? '')
  const form = await store.get('form', id)
  if (form?.asks !== asks) throw new Refusal('form_invalid', 'unknown or expired')
  const known = await sessions.names(browsersOf(req))
  if (!known.includes(form.browser)) throw new Refusal('form_invalid', 'another browser')
  const until = after(clock(), lifetimes.pending * 2)
  if (!(await store.commit({ claims: [{ what: `form/${id}`, until }] })))
    throw new Refusal('form_invalid', 'answered before')
  return form
}
