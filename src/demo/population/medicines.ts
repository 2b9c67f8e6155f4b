/** What is taken for a patient's illnesses: nothing twice, nothing that an allergy or another illness forbids. */
import type { DemoAllergy } from '../patient.js'
import { ALLERGIES, CONDITIONS, type Condition, type ConditionId } from './conditions.js'
import type { Draw } from './draw.js'
import type { Stage } from './profiles.js'

/** What is not given in an illness, whatever it is for. */
const NEVER: Readonly<Partial<Record<ConditionId, RegExp>>> = {
  'kidney-4': /metformin|morphine|alendronic|codeine/i,
  'kidney-5': /metformin|morphine|alendronic|codeine|spironolactone/i,
  parkinson: /haloperidol|metoclopramide|levomepromazine/i,
  lewy: /haloperidol|metoclopramide|levomepromazine/i,
  liver: /paracetamol|metformin/i,
  'heart-failure': /ibuprofen|amlodipine/i,
  asthma: /bisoprolol/i,
}

/** Of each pair the second is left out where the first is taken. */
const INSTEAD: readonly (readonly [taken: RegExp, left: RegExp])[] = [
  [/apixaban|edoxaban/i, /clopidogrel|aspirin/i],
  [/clopidogrel/i, /aspirin/i],
  [/oxycodone|morphine sulfate modified/i, /oral morphine|dihydrocodeine/i],
  [/morphine sulfate/i, /oxycodone/i],
  [/omeprazole/i, /lansoprazole/i],
  [/ramipril/i, /candesartan|losartan/i],
  [/candesartan/i, /losartan/i],
  [/furosemide|bumetanide/i, /indapamide/i],
  [/memantine|donepezil/i, /rivastigmine/i],
  [/umeclidinium/i, /tiotropium/i],
  [/lactulose/i, /macrogol|senna/i],
  [/macrogol/i, /senna/i],
]

/** Those that go on to the last days. */
const TO_THE_END = /morphine|oxycodone|levetiracetam|lamotrigine|hyoscine/i

/** Whether a medicine may be given in these illnesses, to somebody with these allergies. */
export function isFit(
  medicine: string,
  conditions: readonly ConditionId[],
  allergies: readonly DemoAllergy[],
): boolean {
  const allergic = ALLERGIES.filter(({ text }) => allergies.some((each) => each.text === text))
  return (
    !allergic.some(({ never }) => never.test(medicine)) &&
    !conditions.some((id) => NEVER[id]?.test(medicine))
  )
}

const nameOf = (medicine: string): string => medicine.split(' ')[0] ?? ''

export function medicationOf(
  draw: Draw,
  conditions: readonly ConditionId[],
  allergies: readonly DemoAllergy[],
  stage: Stage,
): readonly string[] {
  const slots = conditions.flatMap((id) => (CONDITIONS[id] as Condition).medicines)
  const chosen = slots.flatMap((slot) => {
    const fit = slot.split('|').filter((each) => isFit(each, conditions, allergies))
    return fit.length === 0 ? [] : [draw.one(fit)]
  })
  const once = chosen.filter(
    (each, at) => chosen.findIndex((one) => nameOf(one) === nameOf(each)) === at,
  )
  const left = INSTEAD.filter(([taken]) => once.some((each) => taken.test(each)))
  const taken = once.filter((each) => !left.some(([, out]) => out.test(each)))
  if (stage === 'dead') return []
  return stage === 'dying' ? taken.filter((each) => TO_THE_END.test(each)) : taken
}

export function allergiesOf(draw: Draw): readonly DemoAllergy[] {
  const count = draw.chance(0.65) ? 0 : draw.chance(0.85) ? 1 : 2
  return draw.some(ALLERGIES, count).map(({ text, code, reactions }) => ({
    text,
    ...(code === undefined ? {} : { code }),
    reaction: draw.one(reactions),
  }))
}
