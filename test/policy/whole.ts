/** The policies asked as plainly as can be: every policy, every attribute, checked against the schema, nothing remembered. */

import {
  type AuthorizationAnswer,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { Question } from '../../src/core/decision.js'
import { parsePolicies } from '../../src/policy/parse.js'
import type { PolicyFiles } from '../../src/policy/source.js'

const TYPES = { app: 'App', section: 'Section', fhir: 'FhirType', console: 'Console' } as const

/** @param name a name of its own, in this process, for what Cedar keeps */
export function wholeOf(name: string, files: PolicyFiles, checked = true) {
  const { policies } = parsePolicies(files)
  const texts = Object.fromEntries(policies.map(({ id, text }) => [id, text]))
  expectSuccess(preparsePolicySet(name, { staticPolicies: texts }))
  const schema = files['policies/gateway.cedarschema'] ?? ''
  if (checked) expectSuccess(preparseSchema(name, schema))
  return (q: Question) => {
    const answer: AuthorizationAnswer = statefulIsAuthorized({
      principal: { type: 'User', id: q.user.id },
      action: { type: 'Action', id: q.action },
      resource: { type: TYPES[q.resource.type], id: q.resource.id },
      context: {
        purpose: q.purpose,
        rung: q.launch.rung,
        system: q.launch.system,
        app: q.launch.app,
        patientSensitive: q.patient.sensitive,
        patientDeceased: q.patient.deceased,
        emergencyReason: q.emergencyReason,
        hour: q.hour,
        weekday: q.weekday,
      },
      preparsedPolicySetId: name,
      ...(checked ? { preparsedSchemaName: name, validateRequest: true } : {}),
      entities: [
        {
          uid: { type: 'User', id: q.user.id },
          attrs: {
            activities: [...q.user.activities],
            activitySource: q.user.activitySource,
            assurance: q.user.assurance,
            organization: q.user.organization.odsCode,
            organizationType: q.user.organization.type,
            region: q.user.organization.region,
          },
          parents: q.user.roles.map((id) => ({ type: 'Role', id })),
        },
      ],
    })
    if (answer.type === 'failure') throw new Error(answer.errors[0]?.message)
    const { decision, diagnostics } = answer.response
    const failed = diagnostics.errors.map(({ policyId }) => policyId).sort()
    return failed.length > 0
      ? { effect: 'deny' as const, policies: failed }
      : { effect: decision, policies: [...diagnostics.reason].sort() }
  }
}

function expectSuccess(answer: { type: string; errors?: readonly { message: string }[] }): void {
  if (answer.type !== 'success') throw new Error(answer.errors?.[0]?.message)
}
