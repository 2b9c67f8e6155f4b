/**
 * Launch context of an app's own: which kinds it takes, and of what type each is. What a launch brings
 * beyond them is refused, so that an app never meets what it was not written for.
 *
 * @see SMART App Launch 2.2, "Launch context" (own members: an absolute URI, or two underscores)
 */
import { z } from 'zod'
import { isObject } from './json.js'
import { Refusal } from './refusal.js'

export const CONTEXT_TYPES = ['string', 'boolean', 'number', 'reference', 'json'] as const

export interface ContextKind {
  readonly name: string
  readonly type: (typeof CONTEXT_TYPES)[number]
  /** The longest value, in characters of its JSON. */
  readonly max: number
}

/** What a launch brings for its app, by kind. */
export type OwnContext = Readonly<Record<string, unknown>>

/** Members of a token answer that are the gateway's own. */
export const TAKEN = [
  '__session_idle_seconds',
  '__session_ends',
  '__launch',
  '__context',
  '__obligations',
  '__nhs_number_replaced',
  '__emergency',
  '__emergency_id',
  '__emergency_ends',
  '__proto__',
] as const

const isOwnName = (name: string): boolean =>
  /^__[a-z][a-zA-Z0-9_]{0,60}$/.test(name)
    ? !TAKEN.some((taken) => taken === name)
    : name.startsWith('https://') && URL.canParse(name) && new URL(name).href === name

export const contextKind = z.strictObject({
  name: z
    .string()
    .max(200)
    .refine(isOwnName, 'expected two underscores and a name that is free, or an https URI'),
  type: z.enum(CONTEXT_TYPES),
  max: z.number().int().min(1).max(4096).default(1024),
})

const MOST_KINDS = 20
const LONGEST: number = 16_384

/** As a launch brings it: of no more kinds, and no longer, than any app could take. */
export const ownContext = z.custom<OwnContext>((value) => {
  if (!isObject(value) || Object.keys(value).length > MOST_KINDS) return false
  const text = JSON.stringify(value)
  // Whoever reads the answer in another language must not meet a name that changes what an object is.
  return text.length <= LONGEST && !text.includes('"__proto__"')
}, 'expected an object of at most 20 members')

/** FHIR, relative; never a patient: nothing would tie another than the launch's own to it. */
const isReference = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^[A-Z][A-Za-z]{1,63}\/[A-Za-z0-9.-]{1,64}$/.test(value) &&
  !value.startsWith('Patient/')

const IS: Readonly<Record<ContextKind['type'], (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string' && !/\p{Cc}/u.test(value),
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  reference: isReference,
  json: (value) => value !== undefined,
}

/**
 * What a launch brings must be of kinds that its app registered, each of its type and size.
 * @throws Refusal context_refused, naming the first that is not
 */
export function requireKinds(own: OwnContext | undefined, kinds: readonly ContextKind[]): void {
  for (const [name, value] of Object.entries(own ?? {})) {
    const kind = kinds.find((each) => each.name === name)
    const shown = name.slice(0, 100)
    if (!kind) throw new Refusal('context_refused', `${shown}: not registered for the app`)
    if (!IS[kind.type](value)) throw new Refusal('context_refused', `${shown}: not a ${kind.type}`)
    if (JSON.stringify(value).length > kind.max)
      throw new Refusal('context_refused', `${shown}: longer than ${kind.max}`)
  }
}
