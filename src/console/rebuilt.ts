/**
 * A denial of the trail asked again, to say what would have had to be different. Its entry keeps what it hung on
 * (core/denial.ts); one that was written before entries did is tried with every usual combination, and only one that is
 * answered as it was is explained.
 */

import type { TrailEntry } from '../core/audit.js'
import { localTime } from '../core/circumstances.js'
import { type OdsCode, PURPOSES, RUNGS } from '../core/context.js'
import type { Circumstances, Question } from '../core/decision.js'
import { readAsked } from '../core/denial.js'
import { ROLES } from '../core/roles.js'
import { actionWords, listed, resourceWords } from '../policy/names.js'
import { Problems } from '../policy/problem.js'
import { type Directory, type RoleMap, readRoles, UNKNOWN_TYPE } from '../policy/roles.js'
import { type PolicyFiles, ROLES_FILE } from '../policy/source.js'
import { usually } from '../policy/usual.js'
import { WalkStopped } from '../policy/walks.js'
import { titlesOf } from './matrix.js'
import type { ConsoleParts } from './parts.js'
import { appIds } from './version-chosen.js'

const MOST_CODES = 60
/** Of what one entry asked: each takes a thread for a moment. */
const MOST_ASKED = 3
const PATIENTS = [
  { sensitive: false, deceased: false },
  { sensitive: true, deceased: false },
  { sensitive: false, deceased: true },
  { sensitive: true, deceased: true },
] as const

export interface Turn {
  /** What of it: empty where the entry asked one thing. */
  readonly about: string
  readonly otherwise: readonly { readonly words: string; readonly policies: string }[]
  /** Empty where the entry says all of it. */
  readonly assumed: string
}
export type Rebuilt = { readonly turns: readonly Turn[] } | { readonly missing: string }

const NOT_ENOUGH =
  'The trail does not hold enough of what was asked to say it: no usual circumstances are answered so.'

type Asked = Pick<Question, 'action' | 'resource'>

/** What an entry's question was about. */
function askedIn({ app, detail = {} }: TrailEntry): readonly Asked[] {
  const action = (['launch', 'break-glass'] as const).find((one) => one === detail.action)
  if (action) return app === undefined ? [] : [{ action, resource: { type: 'app', id: app } }]
  const asked = Array.isArray(detail.asked) ? detail.asked : []
  return asked.slice(0, MOST_ASKED).flatMap((word) => readAsked(word) ?? [])
}

/** What the trail holds of how things stood. */
function circumstancesIn(
  { user, app, system, purpose, detail = {}, at }: TrailEntry,
  directory: Directory,
): Circumstances | undefined {
  const rung = RUNGS.find((one) => one === detail.rung)
  const assurance = ([1, 2, 3] as const).find((one) => one === detail.assurance)
  const why = PURPOSES.find((one) => one === purpose)
  const launched = typeof detail.launched === 'string' ? detail.launched : app
  if (!rung || !assurance || !why || !user || launched === undefined) return undefined
  const odsCode = user.organization ?? ''
  const place = directory.get(odsCode as OdsCode)
  return {
    user: {
      id: user.id,
      roles: ROLES.filter((role) => user.roles?.includes(role)),
      activities: [],
      activitySource: detail.activities === 'baseline' ? 'baseline' : 'listed',
      assurance,
      organization: { odsCode, type: place?.type ?? UNKNOWN_TYPE, region: place?.region ?? '' },
    },
    patient: PATIENTS[0],
    launch: { rung, system: system ?? '', app: launched },
    purpose: why,
    emergencyReason: typeof detail.emergency === 'string' ? detail.emergency : '',
    ...localTime(at),
  }
}

/** Activities that the user may have had: the usual ones of their roles, none, all that policies name. */
function activitiesOf(question: Question, map: RoleMap, files: PolicyFiles) {
  const named = Object.entries(files).flatMap(([file, text]) =>
    file.endsWith('.cedar') ? [...(text.match(/(?<=")B\d{4}(?=")/g) ?? [])] : [],
  )
  const usual = question.user.roles.flatMap((role) => usually(role, question, map).user.activities)
  return [[...new Set(usual)], [], [...new Set(named)].slice(0, MOST_CODES)]
}

/** The most ordinary first; one alone where the entry says all of it. */
function candidatesOf(
  question: Question,
  { codes, flags }: NonNullable<TrailEntry['detail']>,
  files: PolicyFiles,
): readonly Question[] {
  const map = readRoles(files[ROLES_FILE] ?? '')
  const lists = Array.isArray(codes) ? [codes] : activitiesOf(question, map, files)
  const said = ({ sensitive, deceased }: Question['patient']): boolean =>
    !Array.isArray(flags) ||
    (flags.includes('sensitive') === sensitive && flags.includes('deceased') === deceased)
  return PATIENTS.filter(said).flatMap((patient) =>
    lists.map((activities) => ({ ...question, patient, user: { ...question.user, activities } })),
  )
}

const assumedOf = ({ user, patient }: Question): string => {
  const codes = user.activities.length > 6 ? 'many activities' : listed(user.activities, 'and')
  return `the user held ${codes || 'no activity'}, the record was ${patient.sensitive ? '' : 'not '}marked sensitive, and the person ${patient.deceased ? 'had died' : 'was alive'}`
}

/** @param files of the version that answered */
export async function rebuilt(
  parts: Pick<ConsoleParts, 'trials' | 'directory' | 'registry' | 'offered'>,
  entry: TrailEntry,
  files: PolicyFiles,
): Promise<Rebuilt> {
  const { policy, detail = {} } = entry
  const [asked, circumstances] = [askedIn(entry), circumstancesIn(entry, parts.directory)]
  if (asked.length === 0 || !circumstances || !policy?.effect || policy.errors?.length)
    return { missing: NOT_ENOUGH }
  const { effect, policies = [] } = policy
  // A grant names the policies of all that it asked together.
  const answered = detail.action === 'grant' ? { effect } : { effect, policies }
  const titles = titlesOf(parts)
  try {
    const apps = await appIds(parts)
    const turns = asked.map(async ({ action, resource }): Promise<Turn | undefined> => {
      const questions = candidatesOf({ ...circumstances, action, resource }, detail, files)
      const tried = await parts.trials.tryOut({ files, apps, questions, answered })
      if (!tried) return undefined
      const { otherwise, question } = tried.explanation
      return {
        about: asked.length > 1 ? `${actionWords(action)} ${resourceWords(resource, titles)}` : '',
        otherwise: otherwise.map((one) => ({ ...one, policies: one.policies.join(', ') })),
        assumed: questions.length > 1 ? assumedOf(question) : '',
      }
    })
    const found = (await Promise.all(turns)).flatMap((turn) => turn ?? [])
    return found.length > 0 ? { turns: found } : { missing: NOT_ENOUGH }
  } catch (error) {
    if (error instanceof Problems) return { missing: 'That version cannot be read any more.' }
    if (error instanceof WalkStopped) return { missing: 'It could not be worked out just now.' }
    throw error
  }
}
