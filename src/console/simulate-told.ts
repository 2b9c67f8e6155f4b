/** What the simulator shows of an answer: the policies, what would turn it, a test, and a preview of a token. */
import { stringify } from 'yaml'
import type { Client } from '../core/client.js'
import type { Question } from '../core/decision.js'
import { type EpochMs, type Seconds, seconds } from '../core/values.js'
import type { Difference, Explanation, Heard } from '../policy/explain.js'
import type { Granted } from '../policy/simulate.js'

const ORDER: Readonly<Record<Heard['applies'], number>> = { errs: 0, yes: 1, no: 2 }

/** Those that apply first; of the others the first condition that does not hold. */
const heardRow = ({ id, effect, reason, layer, applies, failing }: Heard) => ({
  ...{ id, effect, reason, layer, applies },
  failing: failing && `condition ${failing.place}: ${failing.words}`,
})

const turnRow = ({ words, policies }: Difference) => ({
  words,
  policies: policies.join(', ') || 'nothing would permit it',
})

export function told({ answer, policies, otherwise }: Explanation) {
  const decided = new Set(answer.policies)
  const heard = [...policies].sort(
    (a, b) =>
      Number(decided.has(b.id)) - Number(decided.has(a.id)) || ORDER[a.applies] - ORDER[b.applies],
  )
  return {
    effect: answer.effect,
    reasons: answer.reasons,
    errors: answer.errors,
    obligations: answer.obligations,
    decided: policies
      .filter(({ id }) => decided.has(id))
      .map(({ id, layer }) => `${id} (${layer})`),
    policies: heard.map(heardRow),
    otherwise: otherwise.map(turnRow),
  }
}

/** The question as a test of the policies, with the answer as what is expected. */
export function testOf(question: Question, { answer }: Explanation): string {
  const { user, patient, launch, resource } = question
  const { organization } = user
  const name = `Simulated: ${question.action} on ${resource.type}/${resource.id} is ${answer.effect === 'allow' ? 'allowed' : 'denied'}`
  const test = {
    ...{ name, roles: user.roles, activities: user.activities },
    ...{ activity_source: user.activitySource, assurance: user.assurance },
    ...{ organization: organization.odsCode, organization_type: organization.type },
    ...{ region: organization.region, purpose: question.purpose, rung: launch.rung },
    ...{ system: launch.system, app: launch.app },
    ...{ sensitive: patient.sensitive, deceased: patient.deceased },
    ...{ emergency_reason: question.emergencyReason },
    ...{ hour: question.hour, weekday: question.weekday },
    ...{ action: question.action, on: `${resource.type}/${resource.id}`, expect: answer.effect },
    by: answer.policies,
  }
  return stringify({ tests: [test] }, { lineWidth: 0 })
}

interface Previewed {
  readonly issuer: string
  readonly now: EpochMs
  readonly lifetime: Seconds
  readonly version: number
}

/** What the access token would say. It has no signature and no identifiers, so it is good for nothing. */
export const tokenPreview = (
  { id }: Pick<Client, 'id'>,
  { scopes }: Granted,
  { issuer, now, lifetime, version }: Previewed,
): string =>
  JSON.stringify(
    {
      ...{ iss: issuer, aud: '(the bases of the record that the scopes reach)' },
      ...{ sub: '(the user)', client_id: id },
      ...{ iat: seconds(now), exp: seconds(now) + lifetime, jti: '(not issued)' },
      ...{ scope: scopes.join(' '), launch: '(the launch)', patient: '(the patient)' },
      policy_version: version,
    },
    null,
    2,
  )
