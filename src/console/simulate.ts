/** What would be answered: a person, a place, a launch and a patient that nobody has, tried out on a version. */
import type { Client } from '../core/client.js'
import { PURPOSES, RUNGS } from '../core/context.js'
import { ACTIONS } from '../core/decision.js'
import { EMERGENCY_REASONS, EMERGENCY_WORDS } from '../core/emergency.js'
import { Refusal } from '../core/refusal.js'
import { actionWords, resourceWords, roleWords } from '../policy/names.js'
import { describeProblem, Problems } from '../policy/problem.js'
import { readRoles } from '../policy/roles.js'
import { pairsOf } from '../policy/schema.js'
import type { Tried } from '../policy/simulate.js'
import { ROLES_FILE, SCHEMA_FILE } from '../policy/source.js'
import { ANY_ROLES } from '../policy/survey.js'
import { WalkStopped } from '../policy/walks.js'
import { pathOf } from './draft-page.js'
import { isLive } from './draft-stages.js'
import { titlesOf } from './matrix.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { type Fields, questionOf, readForm } from './simulate-form.js'
import { testOf, tokenPreview, told } from './simulate-told.js'
import { appIds, type Chosen, chosen } from './version-chosen.js'

const plain = (words: readonly string[]) =>
  words.map((value) => ({ value, text: value.replaceAll('-', ' ') }))

/** What can be chosen. */
async function choices(parts: ConsoleParts, about: Chosen) {
  const titles = titlesOf(parts)
  const apps = await appIds(parts)
  const pairs = pairsOf(about.files[SCHEMA_FILE] ?? '', apps)
  const resources = new Map(
    pairs.map(({ resource }) => [`${resource.type}/${resource.id}`, resource]),
  )
  return {
    roles: ANY_ROLES.map((value) => ({ value, text: roleWords(value) })),
    actions: ACTIONS.map((value) => ({ value, text: actionWords(value) })),
    resources: [...resources].map(([value, one]) => ({ value, text: resourceWords(one, titles) })),
    apps: [{ value: '', text: 'None' }, ...apps.map((value) => ({ value, text: value }))],
    ...{ rungs: plain(RUNGS), purposes: plain(PURPOSES) },
    emergencies: [
      { value: '', text: 'No emergency' },
      ...EMERGENCY_REASONS.map((value) => ({ value, text: EMERGENCY_WORDS[value] })),
    ],
  }
}

const wordsOf = (error: unknown): string => {
  if (error instanceof Problems) return error.problems.slice(0, 3).map(describeProblem).join('; ')
  if (error instanceof WalkStopped)
    return 'It took too long, or too much is tried out at the moment. Try again.'
  throw error
}

function shown(parts: ConsoleParts, visit: Visit, about: Chosen, tried: Tried, client?: Client) {
  const { explanation, granted } = tried
  const preview = {
    ...{ issuer: parts.issuer, now: visit.now, version: about.version },
    lifetime: client?.accessTokenLifetime ?? parts.lifetimes.access_token,
  }
  const { user } = explanation.question
  return {
    ...told(explanation),
    asked: [
      ['Roles', user.roles.map(roleWords).join(', ') || 'none'],
      ['Activities', user.activities.join(', ') || 'none'],
      ['Organisation', [user.organization.odsCode || 'none', user.organization.type].join(', ')],
      ['Region', user.organization.region || 'none'],
      ['Time', `${explanation.question.hour}:00, day ${explanation.question.weekday} of the week`],
    ],
    test: testOf(explanation.question, explanation),
    ...(client && granted
      ? {
          app: client.id,
          ...{ scopes: granted.scopes, registered: client.scopes },
          token: tokenPreview(client, granted, preview),
        }
      : {}),
  }
}

async function tryOut(parts: ConsoleParts, visit: Visit, about: Chosen, fields: Fields) {
  const { registry, directory, offered, trials } = parts
  const map = readRoles(about.files[ROLES_FILE] ?? '')
  const question = questionOf(fields, { map, directory, now: visit.now })
  const client = fields.app === '' ? undefined : await registry.client(fields.app)
  const granting = client && { asked: client.scopes, client: { scopes: client.scopes }, offered }
  const apps = await appIds(parts)
  const trial = { files: about.files, apps, questions: [question] }
  const tried = await trials.tryOut(granting ? { ...trial, granting } : trial)
  return tried && shown(parts, visit, about, tried, client)
}

/** Found, or said on the page. */
async function outcome(parts: ConsoleParts, visit: Visit, about: Chosen, fields: Fields) {
  try {
    return { result: await tryOut(parts, visit, about, fields) }
  } catch (error) {
    return { problems: [wordsOf(error)] }
  }
}

/** The draft in which it may be kept as a test. */
function keepOf(visit: Visit, { draft }: Chosen) {
  if (!draft || !isLive(draft) || !visit.mayIn('console-author', draft.layer)) return undefined
  return { to: pathOf(draft, '/keep-test'), generation: draft.generation }
}

/** What an address may fill in beforehand: words of ours, no more. */
const BEFOREHAND = ['role', 'action', 'resource']
const VERSION_OR_DRAFT = /^([1-9]\d{0,8}|dft_[\w-]{1,40})?$/

/** GET and POST /console/simulate @throws Refusal draft_unknown, policy_version_unknown */
export function simulate(parts: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => {
    const { sent, posted } = visit
    const of = (posted ? sent.get('of') : sent.get('draft')) ?? ''
    if (!VERSION_OR_DRAFT.test(of)) throw new Refusal('draft_unknown', 'no such version or draft')
    const about = await chosen(parts, visit, of)
    const given = posted ? sent : new Map([...sent].filter(([name]) => BEFOREHAND.includes(name)))
    const read = readForm(given)
    const problems = read.fields || !posted ? [] : read.problems
    const found =
      posted && read.fields ? await outcome(parts, visit, about, read.fields) : undefined
    const wrong = [...problems, ...(found?.problems ?? [])]
    return {
      ...{ view: 'simulate', title: 'Try out' },
      status: wrong.length > 0 ? 400 : 200,
      about: { detail: { version: about.version, draft: about.draft?.id ?? '', tried: posted } },
      data: {
        ...{ of, words: about.words, keep: keepOf(visit, about) },
        ...(await choices(parts, about)),
        ...{ fields: { ...Object.fromEntries(given) }, problems: wrong, result: found?.result },
      },
    }
  }
}
