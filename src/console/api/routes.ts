/** The console's API: a call is one row here. It is the pages' own life of a change, for commands. */
import type { RequestHandler } from 'express'
import { z } from 'zod'
import { Refusal } from '../../core/refusal.js'
import { jsonBodyOf } from '../../http/json-body.js'
import type { ConsoleParts } from '../parts.js'
import { type ApiRow, type ApiVerb, apiAnswering, readAs } from './answering.js'
import { beginDevice, pollDevice } from './devices.js'
import * as findings from './draft-findings.js'
import * as drafts from './drafts.js'
import * as others from './others.js'
import * as versions from './versions.js'

export const API = '/console/api/v1'

type Row = readonly [
  ApiVerb,
  string,
  ApiRow['part'],
  ApiRow['act'],
  ApiRow['layers'],
  ApiRow['answer'],
]

/** The same part, act and layers as the page that does the same. */
// biome-ignore format: a table
export function apiRows(parts: ConsoleParts): readonly ApiRow[] {
  const one = '/drafts/:draft'
  const version = '/versions/:version'
  const step = (name: drafts.StepName) => drafts.stepOf(parts, name)
  const rows: readonly Row[] = [
    ['get',    '/session',             'fleet',     'console-view',    'own',     others.readSession()],
    ['delete', '/session',             'fleet',     'console-view',    'own',     others.endSession(parts)],
    ['get',    '/fleet',               'fleet',     'console-view',    'own',     others.readFleet(parts)],
    ['get',    '/decisions/:of',       'decisions', 'console-view',    'central', others.readDecisions(parts)],
    ['post',   '/check',               'policies',  'console-author',  'own',     others.checkFiles(parts)],
    ['get',    '/drafts',              'policies',  'console-view',    'own',     drafts.listDrafts(parts)],
    ['post',   '/drafts',              'policies',  'console-author',  'own',     drafts.openDraft(parts)],
    ['get',    one,                    'policies',  'console-view',    'own',     drafts.readDraft(parts)],
    ['get',    `${one}/files`,         'policies',  'console-view',    'own',     drafts.readFiles(parts)],
    ['put',    `${one}/files`,         'policies',  'console-author',  'own',     drafts.writeFiles(parts)],
    ['get',    `${one}/check`,         'policies',  'console-view',    'own',     findings.checkDraft(parts)],
    ['get',    `${one}/diff`,          'policies',  'console-view',    'own',     findings.diffDraft(parts)],
    ['get',    `${one}/impact`,        'policies',  'console-view',    'own',     findings.impactOfDraft(parts)],
    ['get',    `${one}/matrix`,        'policies',  'console-view',    'own',     findings.matrixOfDraft(parts)],
    ['post',   `${one}/propose`,       'policies',  'console-author',  'own',     step('propose')],
    ['post',   `${one}/approve`,       'policies',  'console-approve', 'own',     step('approve')],
    ['post',   `${one}/decline`,       'policies',  'console-approve', 'own',     step('decline')],
    ['post',   `${one}/publish`,       'policies',  'console-author',  'own',     step('publish')],
    ['post',   `${one}/emergency`,     'policies',  'console-author',  'own',     step('emergency')],
    ['post',   `${one}/review`,        'policies',  'console-approve', 'own',     step('review')],
    ['post',   `${one}/abandon`,       'policies',  'console-author',  'own',     step('abandon')],
    ['post',   `${one}/shadow`,        'policies',  'console-author',  'own',     step('shadow')],
    ['get',    '/versions',            'policies',  'console-view',    'own',     versions.listVersions(parts)],
    ['get',    version,                'policies',  'console-view',    'own',     versions.readVersion(parts)],
    ['get',    `${version}/files`,     'policies',  'console-view',    'own',     versions.versionFiles(parts)],
    ['get',    `${version}/diff`,      'policies',  'console-view',    'own',     versions.diffVersions(parts)],
    ['get',    `${version}/matrix`,    'policies',  'console-view',    'own',     versions.matrixOfVersion(parts)],
    ['post',   `${version}/rollback`,  'policies',  'console-approve', 'central', versions.rollBack(parts)],
  ]
  return rows.map(([verb, path, part, act, layers, answer]) => ({ verb, path: `${API}${path}`, part, act, layers, answer }))
}

const readBody = jsonBodyOf(4_096)
const beginning = z.strictObject({ client: z.string().min(1).max(200).default('a command') })
const polling = z.strictObject({ device_code: z.string().min(1).max(100) })

const startSignIn =
  (parts: ConsoleParts): RequestHandler =>
  async (req, res) => {
    const { client } = readAs(await readBody(req, res), beginning)
    res.json(await beginDevice(parts, req, client))
  }

const WAIT = {
  authorization_pending: 'Nobody has answered in the console yet.',
  slow_down: 'Ask less often: every five seconds.',
} as const

const finishSignIn =
  (parts: ConsoleParts): RequestHandler =>
  async (req, res) => {
    const { device_code: code } = readAs(await readBody(req, res), polling)
    const polled = await pollDevice(parts, code)
    if ('token' in polled) return void res.json(polled.token)
    // Every command is told so many times over: no refusal, and nothing for the trail.
    res.status(400).json({ error: polled.wait, error_description: WAIT[polled.wait] })
  }

export type ApiRoute = readonly [ApiVerb | 'use', string, RequestHandler]

/** The only calls that need no bearer. */
// biome-ignore format: a table
export const apiDoors = (parts: ConsoleParts): readonly ApiRoute[] => [
  ['post', `${API}/sign-in`,       parts.limits.commands(startSignIn(parts))],
  ['post', `${API}/sign-in/token`, finishSignIn(parts)],
]

const nothing: RequestHandler = () => {
  throw new Refusal('not_found', 'no such call of the console')
}

/** To be mounted before the console's pages, of which the last takes whatever is left. */
export const apiRoutes = (parts: ConsoleParts): readonly ApiRoute[] => [
  ...apiDoors(parts),
  ...apiRows(parts).map((row): ApiRoute => [row.verb, row.path, apiAnswering(parts, row)]),
  ['use', API, nothing],
]
