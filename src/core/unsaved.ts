/**
 * What somebody has typed into a section and not saved. It is theirs alone: of this person, with this app, on this
 * patient's plan. The gateway keeps it and reads nothing into it.
 */
import { z } from 'zod'
import type { Access } from './access.js'
import { type LaunchId, sha256 } from './ids.js'
import { VERSION } from './openehr-calls.js'
import { Refusal } from './refusal.js'
import { after, type EpochMs, type Seconds } from './values.js'

/** Since it was typed at last. */
export const UNSAVED_LIFE: Seconds = 86_400
/** Of one person, on all plans. */
export const MOST_UNSAVED = 20
/** Of one, as it is sent, in bytes. */
export const UNSAVED_BYTES = 64 * 1024

const MOST_VALUES = 100
const id = z.string().regex(/^[A-Za-z][\w.-]{0,63}$/)
const unsaved = z.strictObject({
  /** The version that it was typed over; absent for a section that had none. */
  base: z
    .string()
    .regex(new RegExp(`^${VERSION}$`))
    .optional(),
  /** By the field's id. */
  values: z
    .record(id, z.string())
    .refine((values) => Object.keys(values).length <= MOST_VALUES, 'too many'),
  /** What was taken over of the GP record. */
  adopted: z
    .array(z.strictObject({ field: id, item: z.string().min(1).max(200), text: z.string() }))
    .max(MOST_VALUES)
    .default([]),
  /** When, by the app's clock. */
  typed: z.iso.datetime({ offset: true }),
})
export type Unsaved = z.infer<typeof unsaved>

/** @throws Refusal body_unreadable */
export function readUnsaved(json: unknown): Unsaved {
  const read = unsaved.safeParse(json)
  if (read.success) return read.data
  // Names of members only: what stands in them is clinical.
  const at = read.error.issues.map(({ path: [member] }) => String(member ?? ''))
  throw new Refusal('body_unreadable', `unsaved: ${[...new Set(at)].join(', ').slice(0, 100)}`)
}

/** Whose it is, as the store names it. */
export interface UnsavedOwner {
  readonly id: string
  readonly person: string
}

/**
 * @param ehr the token's own
 * @throws Refusal record_other_patient where the grant does not say whose plan it is
 */
export function unsavedOf(
  { grant }: Pick<Access, 'grant'>,
  ehr: string,
  template: string,
): UnsavedOwner {
  const { person, client, nhsNumber } = grant
  if (nhsNumber === undefined) throw new Refusal('record_other_patient', 'unsaved: no patient')
  return {
    id: sha256(JSON.stringify([person, client, nhsNumber, ehr, template])),
    person: sha256(JSON.stringify(['unsaved', person])),
  }
}

/** As it is kept; its words sealed with all the rest of this. */
export interface KeptUnsaved {
  readonly launch: LaunchId
  /** By our clock. */
  readonly at: EpochMs
  readonly sealed: string
}

/** What it is sealed as: for nobody else, in no other launch, at no other time. */
export const sealOf = (owner: string, { launch, at }: Pick<KeptUnsaved, 'launch' | 'at'>): string =>
  `unsaved/${owner}/${launch}/${at}`

/** Tells one keeping from another: what an `If-Match` names. */
export const tagOf = (owner: string, kept: Pick<KeptUnsaved, 'launch' | 'at'>): string =>
  sha256(sealOf(owner, kept)).slice(0, 22)

/**
 * Over what another launch of the same person left, only with its tag: somebody who has not seen it replaces nothing.
 * @param sent the `If-Match` header
 * @throws Refusal version_stale
 */
export function requireSeen(
  owner: string,
  standing: KeptUnsaved | undefined,
  launch: LaunchId,
  sent: string | undefined,
): void {
  if (standing === undefined || standing.launch === launch) return
  if (sent?.trim() !== `"${tagOf(owner, standing)}"`)
    throw new Refusal('version_stale', 'unsaved: kept in another launch')
}

/** Which a person has. Some may be gone: what is saved or discarded is not taken from here. */
export interface UnsavedList {
  /** Rises with each change, so that two at once cannot both be the last. */
  readonly generation: number
  /** The oldest first. */
  readonly kept: readonly { readonly id: string; readonly at: EpochMs }[]
}

/** For how long one that is kept again and again stands in the list as it was. */
const LISTED_FOR: Seconds = 3600
export const isListed = (list: UnsavedList | undefined, id: string, now: EpochMs): boolean =>
  list?.kept.some((one) => one.id === id && now < after(one.at, LISTED_FOR)) ?? false

/** Until when a list holds whatever may still be there. */
export const listUntil = (now: EpochMs): EpochMs => after(now, UNSAVED_LIFE + LISTED_FOR)

const standing = (list: UnsavedList | undefined, now: EpochMs): UnsavedList['kept'] =>
  (list?.kept ?? []).filter(({ at }) => now < listUntil(at))

/** Whether one more is too many, as far as the list says. */
export const isFull = (list: UnsavedList | undefined, id: string, now: EpochMs): boolean =>
  standing(list, now).filter((one) => one.id !== id).length >= MOST_UNSAVED

/**
 * The list with one that is kept now, and which have to go for it: the oldest.
 * @param there whether one is still there
 */
export function listedWith(
  list: UnsavedList | undefined,
  id: string,
  now: EpochMs,
  there: (id: string) => boolean = () => true,
): { readonly list: UnsavedList; readonly gone: readonly string[] } {
  const others = standing(list, now).filter((one) => one.id !== id && there(one.id))
  const over = Math.max(0, others.length + 1 - MOST_UNSAVED)
  return {
    list: {
      generation: (list?.generation ?? 0) + 1,
      kept: [...others.slice(over), { id, at: now }],
    },
    gone: others.slice(0, over).map((one) => one.id),
  }
}
