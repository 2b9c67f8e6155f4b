/**
 * Where a token is good, said in the answer: the one type of authorization details that SMART uses.
 * @see RFC 9396 §2, §5; SMART App Launch 2.2, "authorization_details" (experimental)
 */
import { z } from 'zod'
import { Refusal } from './refusal.js'

export const DETAIL_TYPES = ['smart_on_fhir'] as const
export type DetailType = (typeof DETAIL_TYPES)[number]

export interface AuthorizationDetail {
  readonly type: DetailType
  readonly locations: readonly string[]
  readonly fhirVersions: readonly string[]
}

const LONGEST = 4000
/** R4 (http://hl7.org/fhir/FHIR-version). */
const OURS = '4.0'

/** Anything further would narrow or widen what the scopes say: it is refused rather than read as nothing. */
const asked = z
  .array(
    z.strictObject({
      type: z.enum(DETAIL_TYPES),
      locations: z.array(z.string().max(300)).min(1).max(5).optional(),
      fhirVersions: z
        .array(z.enum([OURS, '4.0.1']))
        .min(1)
        .max(5)
        .optional(),
    }),
  )
  .min(1)
  .max(5)

function parse(text: string): unknown {
  try {
    if (text.length > LONGEST) throw new Error('too long')
    return JSON.parse(text)
  } catch (cause) {
    throw new Refusal('details_invalid', 'not JSON', { cause })
  }
}

/**
 * Whether an app asks to be told where its token is good.
 *
 * @param types those that the app is registered for
 * @param fhirBase without trailing slash
 * @throws Refusal details_invalid
 */
export function readDetails(
  text: string | undefined,
  types: readonly string[],
  fhirBase: string,
): boolean {
  if (text === undefined) return false
  const read = asked.safeParse(parse(text))
  if (!read.success)
    throw new Refusal('details_invalid', read.error.issues.map((i) => i.path.join('.')).join(', '))
  for (const { type, locations = [] } of read.data) {
    if (!types.includes(type)) throw new Refusal('details_invalid', `${type}: not registered`)
    if (locations.some((location) => location.replace(/\/$/, '') !== fhirBase))
      throw new Refusal('details_invalid', 'locations')
  }
  return true
}

/** What the answer says, for a token that is good at the FHIR base. */
export const detailsFor = (fhirBase: string): readonly AuthorizationDetail[] => [
  { type: 'smart_on_fhir', locations: [fhirBase], fhirVersions: [OURS] },
]
