/** Who stands by a patient: the first to be rung, and to be asked. */
import type { Draw } from './draw.js'
import type { Heritage, Sex } from './names.js'
import { type Home, mobile } from './places.js'

export interface Kin {
  readonly name: string
  /** Of the plan's value set `relationships`. */
  readonly relationship: 'partner' | 'child' | 'parent' | 'sibling' | 'friend'
  /** In a sentence: "daughter". */
  readonly word: string
  readonly phone: string
}

const WORDS: Readonly<Record<Kin['relationship'], Readonly<Record<Sex, string>>>> = {
  partner: { female: 'wife', male: 'husband' },
  child: { female: 'daughter', male: 'son' },
  parent: { female: 'mother', male: 'father' },
  sibling: { female: 'sister', male: 'brother' },
  friend: { female: 'friend', male: 'friend' },
}

const other = (sex: Sex): Sex => (sex === 'female' ? 'male' : 'female')

function relationshipOf(draw: Draw, home: Home, age: number): Kin['relationship'] {
  if (home === 'partner') return 'partner'
  if (age < 45) return draw.one(['parent', 'parent', 'sibling'])
  if (age < 60 || home === 'family') return draw.one(['child', 'sibling'])
  return draw.one(['child', 'child', 'child', 'child', 'sibling', 'friend'])
}

/** Whom a patient would be asked about. Nobody is older than they can be: parents are those of the young only. */
export function kinOf(
  draw: Draw,
  about: {
    readonly home: Home
    readonly age: number
    readonly sex: Sex
    readonly given: string
    readonly family: string
    readonly heritage: Heritage
  },
): Kin {
  const { home, age, sex, given: own, family, heritage } = about
  const relationship = relationshipOf(draw, home, age)
  const theirs =
    relationship === 'partner' && draw.chance(0.96)
      ? other(sex)
      : draw.one(['female', 'male'] as const)
  const young = relationship === 'child' || (age < 60 && relationship !== 'parent')
  const names = heritage[young ? 'younger' : 'older'][theirs].filter((name) => !own.includes(name))
  const [given = ''] = draw.one(names).split(' ')
  const married = relationship === 'child' && theirs === 'female' && draw.chance(0.4)
  const apart = married || relationship === 'friend'
  const surname = apart ? draw.one(heritage.family) : family
  const word = WORDS[relationship][theirs]
  return { name: `${given} ${surname}`, relationship, word, phone: mobile(draw) }
}
