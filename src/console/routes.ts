/** Everything of the console: a page or an act is one row here and one function in a file of its own. */
import type { RequestHandler } from 'express'
import { Refusal } from '../core/refusal.js'
import { changeRows } from './change-rows.js'
import { home } from './home.js'
import { answering, type ConsoleRow } from './page.js'
import type { ConsoleParts } from './parts.js'
import { signInCallback, signInPage, signOut, startSignIn } from './sign-in.js'

export type Row = readonly [
  ConsoleRow['verb'],
  string,
  ConsoleRow['part'],
  ConsoleRow['act'],
  ConsoleRow['layers'],
  string,
  ConsoleRow['answer'],
]

/** What a row needs is asked before anything of it runs. A row with a label stands in the navigation. */
// biome-ignore format: a table
export function consoleRows(parts: ConsoleParts): readonly ConsoleRow[] {
  const rows: readonly Row[] = [
    ['get',  '/console', 'fleet', 'console-view', 'own', 'Home', home(parts)],
    // The life of a change of the policies.
    ...changeRows(parts),
  ]
  return rows.map(([verb, path, part, act, layers, label, answer]) => ({ verb, path, part, act, layers, label, answer }))
}

/** A route as the gateway mounts it. */
export type ConsoleRoute = readonly ['get' | 'post' | 'use', string, RequestHandler]

/** The only ones that need no session: the way in and the way out. */
// biome-ignore format: a table
export const openRoutes = (parts: ConsoleParts): readonly ConsoleRoute[] => [
  ['get',  '/console/sign-in',  signInPage(parts)],
  ['post', '/console/sign-in',  startSignIn(parts)],
  ['get',  '/console/callback', signInCallback(parts)],
  ['post', '/console/sign-out', signOut(parts)],
]

const nothing: RequestHandler = () => {
  throw new Refusal('not_found', 'no such page of the console')
}

export function consoleRoutes(parts: ConsoleParts): readonly ConsoleRoute[] {
  const rows = consoleRows(parts)
  return [
    ...openRoutes(parts),
    ...rows.map((row): ConsoleRoute => [row.verb, row.path, answering(parts, rows, row)]),
    ['use', '/console', nothing],
  ]
}
