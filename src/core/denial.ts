/**
 * What the entry of a denial keeps of the question, so that it can be asked again and explained: codes and flags, no
 * value of the record. An allow keeps none of it, for nobody asks what would have turned it.
 */
import type { Happening } from './audit.js'
import { ACTIONS, type Action, type Circumstances, type Resource } from './decision.js'

/** Of the user's activities, as many as an entry's list may hold. */
const MOST_CODES = 100

export const FLAGS = ['sensitive', 'deceased'] as const

/** How things stood. */
export const circumstancesKept = ({
  user,
  patient,
  launch,
  emergencyReason,
}: Circumstances): NonNullable<Happening['detail']> => ({
  ...{ assurance: user.assurance, activities: user.activitySource, rung: launch.rung },
  // Cut short it would be another question.
  ...(user.activities.length > MOST_CODES ? {} : { codes: user.activities }),
  flags: FLAGS.filter((flag) => patient[flag]),
  launched: launch.app,
  ...(emergencyReason === '' ? {} : { emergency: emergencyReason }),
})

/** An action on a kind of data in one word: `read section/prognosis`. */
export const askedWord = (action: Action, { type, id }: Resource): string =>
  `${action} ${type}/${id}`

/** The same, read. */
export function readAsked(word: string): { action: Action; resource: Resource } | undefined {
  const [, verb, type, id = ''] = /^([\w-]+) (app|section|fhir|console)\/(.+)$/.exec(word) ?? []
  const action = ACTIONS.find((one) => one === verb)
  return action && { action, resource: { type: type as Resource['type'], id } }
}
