/**
 * One resource, judged as it stands: whose it is, whether a scope's query reaches it, and what the policies
 * say of its labels. The same for what is released and for what is written.
 */
import type { Access } from './access.js'
import type { Policies, PolicyDecision } from './decision.js'
import { accessWith, allows, decide, type Reached, reachedBy } from './enforcement.js'
import { containedIn, isOfPatient, type Whose } from './fhir-compartment.js'
import { type FhirType, isFhirType, rowOf } from './fhir-types.js'
import type { Json } from './json.js'
import { anyOf, isLabelled, type PatientFlags, patientFlags } from './patient-flags.js'
import type { Letter } from './scope.js'
import { matchesQuery } from './scope-query.js'

export interface Judging {
  readonly access: Access
  readonly policies: Policies
  readonly whose: Whose
}

/** `foreign`: of another patient, or not to be proven to be this one's. `withheld`: this one's, and not for this caller. */
export type Verdict =
  | { readonly is: 'foreign' }
  | { readonly is: 'withheld'; readonly by: 'scope' | 'policy'; readonly why: string }
  | { readonly is: 'given'; readonly decisions: readonly PolicyDecision[] }

const withheld = (by: 'scope' | 'policy', why: string): Verdict => ({ is: 'withheld', by, why })

export const isReached = (reached: Reached | undefined, resource: Json): boolean =>
  reached === 'all' || (reached?.some((query) => matchesQuery(query, resource)) ?? false)

/** What holds of a patient by what this record says now: beside what others said, where others know them. */
export function flagsBy({ grant }: Access, patient: Json): PatientFlags {
  const said = patientFlags(patient)
  return grant.knownIn === undefined ? said : anyOf([grant.circumstances.patient, said])
}

/**
 * What a resource says that the policies were not asked under; `undefined` when it says nothing new.
 * @param labelled whether it stands inside of what is labelled
 */
function news({ access }: Judging, resource: Json, labelled: boolean): PatientFlags | undefined {
  const { sensitive, deceased } = access.grant.circumstances.patient
  const said =
    resource.resourceType === 'Patient'
      ? flagsBy(access, resource)
      : { sensitive: sensitive || labelled || isLabelled(resource), deceased }
  return said.sensitive === sensitive && said.deceased === deceased ? undefined : said
}

function judgeInside(judging: Judging, resource: Json, letter: Letter): Verdict {
  const decisions: PolicyDecision[] = []
  const all = containedIn(resource) ?? []
  // Once for all of them: it looks at each.
  const labelled = all.length > 0 && isLabelled(resource)
  for (const inside of all) {
    const { resourceType: type } = inside
    if (!isFhirType(type) || rowOf(type).whose === 'directory') continue
    // What stands inside is data of its own type, and read or written as that, under the labels of the whole.
    const alone = letter === 's' ? 'r' : letter
    const verdict = judgeResource(judging, inside, alone, undefined, labelled)
    if (verdict.is !== 'given') return verdict
    decisions.push(...verdict.decisions)
  }
  return { is: 'given', decisions }
}

/**
 * @param decided what the policies said of this type and letter, where they have been asked already
 * @param labelled whether it stands inside of what is labelled
 */
export function judgeResource(
  judging: Judging,
  resource: Json,
  letter: Letter,
  decided?: PolicyDecision,
  labelled = false,
): Verdict {
  const { access, policies, whose } = judging
  if (!isOfPatient(resource, whose)) return { is: 'foreign' }
  const id = String(resource.resourceType)
  if (!isReached(reachedBy(access, id, letter), resource)) return withheld('scope', `${id}: scope`)

  const kind = { type: 'fhir', id } as const
  const first = decided ?? decide(access, policies, letter, kind)
  const flags = news(judging, resource, labelled)
  const anew = flags && decide(accessWith(access, flags), policies, letter, kind)
  const decisions = anew === undefined ? [first] : [first, anew]
  const denied = decisions.find((each) => !allows(each))
  if (denied !== undefined) return withheld('policy', `${id}: ${denied.policies.join(', ')}`)

  const inside = judgeInside(judging, resource, letter)
  return inside.is === 'given'
    ? { is: 'given', decisions: [...decisions, ...inside.decisions] }
    : inside
}

/** Whether policies would keep from this caller what a search finds and is marked sensitive, were there any. */
export function withholdsLabelled(access: Access, policies: Policies, type: FhirType): boolean {
  const { sensitive, deceased } = access.grant.circumstances.patient
  if (sensitive) return false
  const flagged = accessWith(access, { sensitive: true, deceased })
  return !allows(decide(flagged, policies, 's', { type: 'fhir', id: type }))
}

/** SMART: the `fhirUser` scope implies read of that one resource; so does a scope of the user for its type. */
export function isOwnPractitioner(
  { scopes, grant }: Access,
  { type, id }: { readonly type: FhirType; readonly id: string },
  base: string,
): boolean {
  if (type !== 'Practitioner') return false
  const reference = `Practitioner/${id}`
  return (
    scopes.some(
      (scope) =>
        (scope.kind === 'plain' && scope.name === 'fhirUser') ||
        (scope.kind === 'fhir' &&
          scope.reach === 'user' &&
          scope.query === '' &&
          scope.type === 'Practitioner' &&
          scope.letters.has('r')),
    ) && [reference, `${base}/${reference}`].includes(grant.fhirUser ?? '')
  )
}
