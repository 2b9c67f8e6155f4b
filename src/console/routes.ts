/** Everything of the console: a page or an act is one row here and one function in a file of its own. */
import type { RequestHandler } from 'express'
import { Refusal } from '../core/refusal.js'
import { changeRows } from './change-rows.js'
import { charts } from './charts.js'
import { decisions } from './decisions.js'
import { deviceAnswered, deviceAsked, devicePage } from './device.js'
import { emergencyTile } from './emergencies.js'
import { endOneLaunch, endOnePerson, endOneSignOn } from './endings.js'
import { draftsTile, fleet, nodesTile } from './fleet.js'
import { home, type TileOf } from './home.js'
import { launch } from './launch.js'
import { launches, signOns } from './launches.js'
import { ourKeys, rotateKeys } from './our-keys.js'
import { answering, type ConsoleRow } from './page.js'
import type { ConsoleParts } from './parts.js'
import { patientLooks } from './patient-looks.js'
import { endRegistered, removeRegistered } from './registered.js'
import { registrations } from './registrations.js'
import { seeingRows } from './seeing-rows.js'
import { signInCallback, signInPage, startSignIn } from './sign-in.js'
import { signOut } from './sign-out.js'
import { trail } from './trail.js'
import { verification } from './verification.js'

export type Row = readonly [
  ConsoleRow['verb'],
  string,
  ConsoleRow['part'],
  ConsoleRow['act'],
  ConsoleRow['layers'],
  string,
  ConsoleRow['answer'],
]

/** What stands on the first page beside the policies in force. */
const tilesOf = (parts: ConsoleParts): readonly TileOf[] => [
  emergencyTile(parts),
  draftsTile(parts),
  nodesTile(parts),
]

/** What a row needs is asked before anything of it runs. A row with a label stands in the navigation. */
// biome-ignore format: a table
export function consoleRows(parts: ConsoleParts): readonly ConsoleRow[] {
  const verify = verification(parts)
  const why = decisions(parts)
  const rotate = rotateKeys(parts)
  const [oneLaunch, oneSignOn, onePerson] = [endOneLaunch(parts), endOneSignOn(parts), endOnePerson(parts)]
  const [ofApp, ofSystem] = [endRegistered(parts, 'app'), endRegistered(parts, 'system')]
  const [noApp, noSystem] = [removeRegistered(parts, 'app'), removeRegistered(parts, 'system')]
  const rows: readonly Row[] = [
    ['get',  '/console',                      'fleet',         'console-view',    'own',     'Home',      home(parts, tilesOf(parts))],
    ['get',  '/console/fleet',                'fleet',         'console-view',    'own',     'Nodes',     fleet(parts)],
    ['get',  '/console/launches',             'launches',      'console-view',    'central', 'Launches',  launches(parts)],
    ['post', '/console/launches',             'launches',      'console-view',    'central', '',          launches(parts)],
    ['get',  '/console/launches/:launch',     'launches',      'console-view',    'central', '',          launch(parts)],
    ['get',  '/console/launches/:launch/end', 'launches',      'console-operate', 'central', '',          oneLaunch.ask],
    ['post', '/console/launches/:launch/end', 'launches',      'console-operate', 'central', '',          oneLaunch.act],
    ['get',  '/console/sign-ons',             'launches',      'console-view',    'central', 'Sign-ons',  signOns(parts)],
    ['post', '/console/sign-ons',             'launches',      'console-view',    'central', '',          signOns(parts)],
    ['post', '/console/sign-ons/confirm',     'launches',      'console-operate', 'central', '',          onePerson.ask],
    ['post', '/console/sign-ons/end',         'launches',      'console-operate', 'central', '',          onePerson.act],
    ['get',  '/console/sign-ons/:signOn/end', 'launches',      'console-operate', 'central', '',          oneSignOn.ask],
    ['post', '/console/sign-ons/:signOn/end', 'launches',      'console-operate', 'central', '',          oneSignOn.act],
    ['get',  '/console/charts',               'launches',      'console-view',    'central', 'Charts',    charts(parts)],
    ['get',  '/console/registrations',        'registrations', 'console-view',    'central', 'Apps and systems', registrations(parts)],
    ['get',  '/console/apps/:id/end',         'registrations', 'console-operate', 'central', '',          ofApp.ask],
    ['post', '/console/apps/:id/end',         'registrations', 'console-operate', 'central', '',          ofApp.act],
    ['get',  '/console/systems/:id/end',      'registrations', 'console-operate', 'central', '',          ofSystem.ask],
    ['post', '/console/systems/:id/end',      'registrations', 'console-operate', 'central', '',          ofSystem.act],
    ['get',  '/console/apps/:id/remove',      'registrations', 'console-operate', 'central', '',          noApp.ask],
    ['post', '/console/apps/:id/remove',      'registrations', 'console-operate', 'central', '',          noApp.act],
    ['get',  '/console/systems/:id/remove',   'registrations', 'console-operate', 'central', '',          noSystem.ask],
    ['post', '/console/systems/:id/remove',   'registrations', 'console-operate', 'central', '',          noSystem.act],
    ['get',  '/console/keys',                 'keys',          'console-view',    'central', 'Keys',      ourKeys(parts)],
    ['get',  '/console/keys/rotate',          'keys',          'console-operate', 'central', '',          rotate.ask],
    ['post', '/console/keys/rotate',          'keys',          'console-operate', 'central', '',          rotate.act],
    ['get',  '/console/trail',                'trail',         'console-view',    'central', 'Trail',     trail(parts)],
    ['post', '/console/trail',                'trail',         'console-view',    'central', '',          trail(parts)],
    ['get',  '/console/trail/patient',        'trail',         'console-view',    'central', 'Patient',   patientLooks(parts)],
    ['post', '/console/trail/patient',        'trail',         'console-view',    'central', '',          patientLooks(parts)],
    ['get',  '/console/trail/verification',   'trail',         'console-view',    'central', '',          verify.page],
    ['post', '/console/trail/verification',   'trail',         'console-view',    'central', '',          verify.begin],
    ['get',  '/console/decisions',            'decisions',     'console-view',    'central', 'Decisions', why],
    ['post', '/console/decisions',            'decisions',     'console-view',    'central', '',          why],
    ['get',  '/console/decisions/:of',        'decisions',     'console-view',    'central', '',          why],
    ['get',  '/console/device',               'fleet',         'console-view',    'own',     '',          devicePage()],
    ['post', '/console/device',               'fleet',         'console-view',    'own',     '',          deviceAsked(parts)],
    ['post', '/console/device/confirm',       'fleet',         'console-view',    'own',     '',          deviceAnswered(parts)],
    // The life of a change of the policies.
    ...changeRows(parts),
    ...seeingRows(parts),
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
