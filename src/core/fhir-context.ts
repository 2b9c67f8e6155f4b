/** What a launch says is open beside the patient. @see SMART App Launch 2.2, "fhirContext" */
import { z } from 'zod'
import type { FhirContextItem } from './context.js'

const isUri = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\S+$/i.test(text)
const uri = z.string().max(300).refine(isUri, 'expected an absolute URI')

/** "Patient and Encounter … not … unless they include a role other than `launch`": those are launch parameters. */
const OWN_PARAMETERS = ['Patient', 'Encounter']
const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number'

interface Item {
  readonly reference?: string | undefined
  readonly canonical?: string | undefined
  readonly identifier?: { readonly system: string } | undefined
  readonly type?: string | undefined
  readonly role?: string | undefined
}

const isNhsNumber = (system: string): boolean =>
  system.toLowerCase().replace(/\/+$/, '') === NHS_NUMBER.toLowerCase()

/**
 * Whether an item may be handed to the app. A patient never: the launch is of one, whom number and birth date have
 * proven, and nothing would tie another to it, whatever the role.
 */
function mayStand({ reference, canonical, identifier, type, role = 'launch' }: Item): boolean {
  const types = [reference?.split('/')[0], type]
  if (canonical !== undefined && /\/Patient\//i.test(canonical)) return false
  if (types.includes('Patient') || (identifier && isNhsNumber(identifier.system))) return false
  return role !== 'launch' || !types.some((each) => OWN_PARAMETERS.includes(each ?? ''))
}

/** One entry. Of an identifier only system and value are read: what else it holds could be anything. */
export const fhirContextItem = z
  .object({
    reference: z
      .string()
      .regex(/^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/)
      .optional(),
    canonical: uri.optional(),
    identifier: z.object({ system: uri, value: z.string().min(1).max(200) }).optional(),
    type: z
      .string()
      .regex(/^[A-Z][A-Za-z]{1,63}$/)
      .optional(),
    // "an absolute URI, unless … defined by this IG", which defines `launch`; never empty.
    role: z.literal('launch').or(uri).optional(),
  })
  .refine((item) => item.reference ?? item.canonical ?? item.identifier, 'names nothing')
  .refine(mayStand, 'names a patient or an encounter')

/** `launch/` and a FHIR type in lower case, with one role at most. */
const ASKED = /^launch\/([a-z]{2,64})(?:\?role=[^\s&?]{1,100})?$/
/** Those that have a parameter or a meaning of their own. */
const OTHERS = ['patient', 'encounter', 'episode']

/** The type of which a scope asks for context, in lower case; `undefined` of every other scope. */
export function contextAsked(scope: string): string | undefined {
  const [, type] = ASKED.exec(scope) ?? []
  return type === undefined || OTHERS.includes(type) ? undefined : type
}

/**
 * Whether a launch brought something of that type. In which role is not looked at: the app is given all that is open,
 * and each says its own.
 *
 * @see SMART App Launch 2.2, "Scopes for requesting context data" (of a role that is not known, the type's context)
 */
export const hasContext = (items: readonly FhirContextItem[], type: string): boolean =>
  items.some((item) =>
    [item.reference?.split('/')[0], item.type].some((each) => each?.toLowerCase() === type),
  )
