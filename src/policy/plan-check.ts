/** What `launch-gateway plan check` says: the plan's definitions, and whether the policies beside them know its sections. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '../core/plan.js'
import { nearest } from '../core/plan-file.js'
import { readPlan } from './plan-files.js'
import type { Problem } from './problem.js'
import { pairsOf } from './schema.js'

export interface PlanCheck {
  readonly plan: Plan
  readonly problems: readonly Problem[]
}

/** Ids of a kind of resource that a schema has; none where it cannot be read: `policy check` says why. */
const idsIn = (schema: string, type: 'section' | 'fhir'): readonly string[] => [
  ...new Set(
    pairsOf(schema, []).flatMap(({ resource }) => (resource.type === type ? [resource.id] : [])),
  ),
]

function againstSchema(plan: Plan, file: string, main: string): readonly Problem[] {
  const { sections } = plan
  const schema = readFileSync(file, 'utf8')
  const [known, types] = [idsIn(schema, 'section'), idsIn(schema, 'fhir')]
  if (known.length === 0) return []
  const ids = sections.map(({ id }) => id)
  const missing = ids
    .filter((id) => !known.includes(id))
    .map((id) => ({
      file,
      text: `entity Section: "${id}" is missing: add it, so that policies can speak of the section`,
    }))
  const unknown = known
    .filter((id) => !ids.includes(id))
    .map((id) => {
      const meant = nearest(id, ids)
      const cure = meant ? `did you mean "${meant}"?` : 'take it out, or define the section'
      return { file, text: `entity Section: the plan has no section "${id}": ${cure}` }
    })
  const fhir = sections.flatMap(({ id, fhir: named = [] }) =>
    named
      .filter((type) => !types.includes(type))
      .map((type) => {
        const meant = nearest(type, types)
        const cure = meant ? `did you mean "${meant}"?` : `add it to entity FhirType in ${file}`
        return {
          file: main,
          text: `section ${id}: the gateway knows no FHIR type ${type}: ${cure}`,
        }
      }),
  )
  const listed =
    plan.listing === undefined || types.includes('CarePlan')
      ? []
      : [
          {
            file: main,
            text: `listing: add "CarePlan" to entity FhirType in ${file}, so that policies can say who begins a plan`,
          },
        ]
  return [...missing, ...unknown, ...fhir, ...listed]
}

/**
 * Everything that is wrong with a plan, at once.
 *
 * @param places the plan's main file, and the folder of the policies
 */
export function checkPlan(places: { readonly plan: string; readonly policies: string }): PlanCheck {
  const { plan, problems } = readPlan(places.plan)
  const schema = join(places.policies, 'gateway.cedarschema')
  // A section that could not be read would be said to be unknown as well.
  if (problems.length > 0 || !existsSync(schema)) return { plan, problems }
  return { plan, problems: againstSchema(plan, schema, places.plan) }
}
