import type { Response } from 'express'
import type { Assurance } from '../core/roles.js'
import type { ConsoleParts } from './parts.js'

/** An address of the console, without a query: nothing else is gone on to. */
const WITHIN = /^\/console(\/(?!\.{1,2}(\/|$))[\w.~-]{1,200}){0,6}$/

export const isWithin = (path: string): boolean => WITHIN.test(path)

/** The page with the one button. @throws Refusal sign_on_unavailable, sign_on_failed */
export async function askToSignIn(
  { team, pages }: Pick<ConsoleParts, 'team' | 'pages'>,
  res: Response,
  { to, assurance }: { readonly to: string; readonly assurance: Assurance },
): Promise<void> {
  const onward = isWithin(to) ? to : '/console'
  // The first page is where one signs in; any other is one that was not shown.
  const status = onward === '/console' ? 200 : 403
  const lead = [await team.pageOrigin()]
  pages.send(res, status, 'console/sign-in', { to: onward, assurance, title: 'Sign in' }, lead)
}
