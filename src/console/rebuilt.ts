/**
 * A decision of the trail asked again, to say what would have had to be different. The trail keeps neither the user's
 * activities nor what the record says of the patient: every usual combination is tried, and only one that is answered
 * as it was is explained.
 */

import type { TrailEntry } from '../core/audit.js'
import { localTime } from '../core/circumstances.js'
import { type OdsCode, PURPOSES, RUNGS } from '../core/context.js'
import type { Question } from '../core/decision.js'
import { ROLES } from '../core/roles.js'
import { listed } from '../policy/names.js'
import { Problems } from '../policy/problem.js'
import { type Directory, type RoleMap, readRoles, UNKNOWN_TYPE } from '../policy/roles.js'
import { type PolicyFiles, ROLES_FILE } from '../policy/source.js'
import { usually } from '../policy/usual.js'
import { WalkStopped } from '../policy/walks.js'
import type { ConsoleParts } from './parts.js'
import { appIds } from './version-chosen.js'

const MOST_CODES = 60
const FLAGS = [
  { sensitive: false, deceased: false },
  { sensitive: true, deceased: false },
  { sensitive: false, deceased: true },
  { sensitive: true, deceased: true },
] as const

export type Rebuilt =
  | { readonly otherwise: readonly { words: string; policies: string }[]; readonly assumed: string }
  | { readonly missing: string }

const NOT_ENOUGH =
  'The trail does not hold enough of what was asked to say it: no usual circumstances are answered so.'

/** What the trail holds of a question about a launch; `undefined` for other questions. */
function known({ user, app, system, purpose, detail = {}, at }: TrailEntry, directory: Directory) {
  const action = (['launch', 'break-glass'] as const).find((one) => one === detail.action)
  const rung = RUNGS.find((one) => one === detail.rung)
  const assurance = ([1, 2, 3] as const).find((one) => one === detail.assurance)
  const why = PURPOSES.find((one) => one === purpose)
  if (!action || !rung || !assurance || !why || !user || app === undefined) return undefined
  const odsCode = user.organization ?? ''
  const place = directory.get(odsCode as OdsCode)
  const question: Question = {
    user: {
      id: user.id,
      roles: ROLES.filter((role) => user.roles?.includes(role)),
      activities: [],
      activitySource: detail.activities === 'baseline' ? 'baseline' : 'listed',
      assurance,
      organization: { odsCode, type: place?.type ?? UNKNOWN_TYPE, region: place?.region ?? '' },
    },
    patient: FLAGS[0],
    launch: { rung, system: system ?? '', app },
    purpose: why,
    emergencyReason: typeof detail.emergency === 'string' ? detail.emergency : '',
    ...localTime(at),
    action,
    resource: { type: 'app', id: app },
  }
  return question
}

/** Activities that the user may have had: the usual ones of their roles, none, all that policies name. */
function activitiesOf(question: Question, map: RoleMap, files: PolicyFiles) {
  const named = Object.entries(files).flatMap(([file, text]) =>
    file.endsWith('.cedar') ? [...(text.match(/(?<=")B\d{4}(?=")/g) ?? [])] : [],
  )
  const usual = question.user.roles.flatMap((role) => usually(role, question, map).user.activities)
  return [[...new Set(usual)], [], [...new Set(named)].slice(0, MOST_CODES)]
}

/** The most ordinary first. */
function candidatesOf(question: Question, files: PolicyFiles): readonly Question[] {
  const map = readRoles(files[ROLES_FILE] ?? '')
  return FLAGS.flatMap((patient) =>
    activitiesOf(question, map, files).map((activities) => ({
      ...question,
      patient,
      user: { ...question.user, activities },
    })),
  )
}

const assumedOf = ({ user, patient }: Question): string => {
  const codes = user.activities.length > 6 ? 'many activities' : listed(user.activities, 'and')
  return `the user held ${codes || 'no activity'}, the record was ${patient.sensitive ? '' : 'not '}marked sensitive, and the person ${patient.deceased ? 'had died' : 'was alive'}`
}

/** @param files of the version that answered */
export async function rebuilt(
  parts: Pick<ConsoleParts, 'trials' | 'directory' | 'registry'>,
  entry: TrailEntry,
  files: PolicyFiles,
): Promise<Rebuilt> {
  const { policy } = entry
  const question = known(entry, parts.directory)
  if (!question || !policy?.effect || policy.errors?.length) return { missing: NOT_ENOUGH }
  const answered = { effect: policy.effect, policies: policy.policies ?? [] }
  try {
    const questions = candidatesOf(question, files)
    const apps = await appIds(parts)
    const tried = await parts.trials.tryOut({ files, apps, questions, answered })
    if (!tried) return { missing: NOT_ENOUGH }
    const { otherwise, question: asked } = tried.explanation
    const turns = otherwise.map(({ words, policies }) => ({ words, policies: policies.join(', ') }))
    return { otherwise: turns, assumed: assumedOf(asked) }
  } catch (error) {
    if (error instanceof Problems) return { missing: 'That version cannot be read any more.' }
    if (error instanceof WalkStopped) return { missing: 'It could not be worked out just now.' }
    throw error
  }
}
