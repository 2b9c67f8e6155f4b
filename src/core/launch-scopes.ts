/** Of what an app asks for, what a launch can give: by what it brought. */
import type { FhirContextItem } from './context.js'
import { contextAsked, hasContext } from './fhir-context.js'
import type { Scope } from './scope.js'

/** The user's own Practitioner: of no patient, and held to that one resource by enforcement. */
const isOneself = (scope: Scope): boolean =>
  scope.kind === 'fhir' && scope.reach === 'user' && scope.type === 'Practitioner'

/** Whether scopes reach what only a patient in context opens. */
export const reachesPatient = (scopes: readonly Scope[]): boolean =>
  scopes.some((scope) => scope.kind !== 'plain' && scope.reach !== 'system' && !isOneself(scope))

/** Scopes that stand for something that a launch may not have brought. */
const BROUGHT = ['encounter', 'episode'] as const

/**
 * Of scopes that were asked, those for which a launch has what they need.
 * @see SMART App Launch 2.2, "Scopes for requesting context data" (hints may be ignored)
 * @see docs/decisions/0012-user-scopes-are-held-to-the-patient.md
 */
export function withinLaunch(
  scopes: readonly Scope[],
  launch: {
    readonly patient: boolean
    readonly encounter: boolean
    readonly episode: boolean
    /** Whether its user has a national identity, by which the record knows them as a Practitioner. */
    readonly practitioner: boolean
    readonly fhirContext: readonly FhirContextItem[]
  },
): readonly Scope[] {
  const missing = [
    ...BROUGHT.filter((name) => !launch[name]).map((name) => `launch/${name}`),
    ...(launch.practitioner ? [] : ['fhirUser']),
  ]
  return scopes.filter((scope) => {
    if (scope.kind !== 'plain') return launch.patient || !reachesPatient([scope])
    const type = contextAsked(scope.name)
    return type === undefined ? !missing.includes(scope.name) : hasContext(launch.fhirContext, type)
  })
}
