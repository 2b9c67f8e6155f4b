/**
 * What the gateway saw of an item while a launch brought it: that it is of this sender, and what the section makes of
 * it. Kept sealed with unsaved changes, so that who goes on with them in a later launch may still say where the words
 * came from (provenance.ts). The item itself is not kept.
 */
import { offersOf } from './adoption.js'
import { canonical } from './chain.js'
import type { Witness } from './feeder-audit.js'
import type { Handover } from './handover.js'
import type { Json } from './json.js'
import { plainNumbers } from './json-text.js'
import type { PlanSection } from './plan.js'
import type { Unsaved } from './unsaved.js'

type TakenOver = Unsaved['adopted'][number]

interface Launch {
  readonly id: string
  readonly section: PlanSection
  /** What it brought, as far as the caller may read it. */
  readonly handover: Handover | undefined
}

function witnessOf({ id, section, handover }: Launch, one: TakenOver): Witness | undefined {
  const resource = handover?.resources.find(
    ({ resourceType, id: own }) => `${resourceType}/${own}` === one.item,
  )
  const offer =
    resource &&
    offersOf(section, plainNumbers(resource) as Json).find(
      ({ field, text }) => field.id === one.field && text === one.text,
    )
  if (!offer || !handover) return undefined
  return { ...one, from: handover.from, launch: id, elements: offer.elements }
}

const isSame = (a: TakenOver, b: TakenOver): boolean =>
  a.field === b.field && a.item === b.item && a.text === b.text

/**
 * Of what was taken over: what this launch bears out, and what an earlier keeping had.
 * @param before of the same person's changes to the same section
 */
export const witnessed = (
  launch: Launch,
  adopted: readonly TakenOver[],
  before: readonly Witness[],
): readonly Witness[] =>
  adopted.flatMap((one) => witnessOf(launch, one) ?? before.find((own) => isSame(own, one)) ?? [])

/** The type of its item: who may not read that kind of data may not say anything of it either. */
export const typeOf = ({ item }: Witness): string => item.split('/')[0] ?? ''

/** What was seen to say exactly this, of this item in this launch. */
export const witnessFor = (
  all: readonly Witness[],
  claim: {
    readonly item: string
    readonly launch: string
    readonly node: unknown
    readonly value: unknown
  },
): Witness | undefined => {
  const said = canonical({ node: claim.node, value: claim.value })
  return all.find(
    ({ item, launch, elements }) =>
      item === claim.item &&
      launch === claim.launch &&
      elements.some(({ node, value }) => canonical({ node, value }) === said),
  )
}
