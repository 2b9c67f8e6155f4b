/**
 * The two hundred patients beside those who have a part in documents and tests. All invented, and the same at every start:
 * they are drawn by a seed, person by person, so that what is drawn for one says nothing of the next. Their plans are made
 * when they are first looked at.
 */
import { readNhsNumber } from '../../core/nhs-number.js'
import type { DemoPatient } from '../patient.js'
import { PATIENTS } from '../patients.js'
import type { DemoPlan } from '../plans.js'
import { drawFrom } from './draw.js'
import { type Person, personOf } from './person.js'
import { planOf } from './plan.js'
import { type Card, DECK } from './profiles.js'

/** How many of those with a plan are to be hidden from most. */
const SENSITIVE = 6
const SEED = 'northbank-1'

/** Numbers of the range that is never issued, far from one another as those of neighbours are, and none twice. */
function* nhsNumbers(): Generator<string> {
  const digits = Array.from({ length: 10 }, (_, digit) => String(digit))
  for (let at = 1; ; at += 1) {
    const stem = String(999_100_000 + ((at * 7919) % 800_000))
    const number = digits.map((digit) => stem + digit).find((each) => readNhsNumber(each))
    if (number !== undefined) yield number
  }
}

function cards(seed: string): readonly Card[] {
  const draw = drawFrom(`${seed}/deck`)
  const dealt = draw.shuffled(DECK)
  const alive = dealt.filter(({ stage }) => stage !== 'none' && stage !== 'dead')
  const hidden = new Set(draw.some(alive, SENSITIVE))
  return dealt.map((card) => ({ ...card, sensitive: hidden.has(card) }))
}

export interface Population {
  readonly people: readonly Person[]
  readonly patients: readonly DemoPatient[]
  readonly plans: readonly DemoPlan[]
}

/** Nobody is called as another is. */
function peopleOf(seed: string): readonly (readonly [seed: string, person: Person])[] {
  const taken = new Set<string>()
  const numbers = nhsNumbers()
  return cards(seed).map((card, place) => {
    const nhsNumber = String(numbers.next().value)
    for (let turn = 0; ; turn += 1) {
      const own = `${seed}/${place}/${turn}`
      const person = personOf(own, card, nhsNumber)
      const { given, family } = person.patient
      const name = `${given.split(' ')[0]} ${family}`
      if (taken.has(name)) continue
      taken.add(name)
      return [own, person] as const
    }
  })
}

export function populate(seed: string): Population {
  const all = peopleOf(seed)
  return {
    people: all.map(([, person]) => person),
    patients: all.map(([, { patient }]) => patient),
    plans: all
      .filter(([, { patient }]) => patient.plan)
      .map(([own, person]) => planOf(own, person)),
  }
}

let known: Population | undefined

/** The demonstration's own, made once. */
export function population(): Population {
  known ??= populate(SEED)
  return known
}

/** Everybody whom the pretend GP systems and the record know: those with a part first, in their order. */
export const everyone = (): readonly DemoPatient[] => [...PATIENTS, ...population().patients]
