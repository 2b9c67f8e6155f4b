/** A patient of a card: who they are, where and with whom they live, what they are ill with and take. */
import { fixedId } from '../fixed-id.js'
import type { DemoPatient, DemoProblem } from '../patient.js'
import { CONDITIONS, type Condition, type ConditionId } from './conditions.js'
import { type Draw, drawFrom } from './draw.js'
import { type Kin, kinOf } from './kin.js'
import { allergiesOf, medicationOf } from './medicines.js'
import { HERITAGES, type Heritage, type Sex } from './names.js'
import { addressOf, CARE_HOMES, type CareHome, type Home, landline, mobile } from './places.js'
import { type Card, isLast, PROFILES } from './profiles.js'

/** The day at which ages are counted, and before which everything that has a date of its own has happened. */
export const REFERENCE = '2026-06-01'
const DAY = 86_400_000
const YEAR = Number(REFERENCE.slice(0, 4))

export const daysBefore = (day: string, days: number): string =>
  new Date(Date.parse(day) - days * DAY).toISOString().slice(0, 10)

/** A patient with what the plan has to know of them. */
export interface Person {
  readonly patient: DemoPatient
  readonly card: Card
  /** At the reference day, or at death. */
  readonly age: number
  /** The first is what the plan is about. */
  readonly conditions: readonly [ConditionId, ...ConditionId[]]
  readonly home: Home
  readonly careHome?: CareHome
  readonly kin: Kin
  readonly faith: string
  readonly language?: string
}

const SEXES: Readonly<Partial<Record<ConditionId, Sex>>> = {
  prostate: 'male',
  'prostate-bone': 'male',
  breast: 'female',
  'breast-spread': 'female',
  ovary: 'female',
}
/** Where sickle cell disease is most often met with. */
const SICKLE = ['nigerian', 'ghanaian', 'caribbean']
/** In whose names a second forename is usual. */
const SECOND = ['english', 'irish', 'welsh', 'scottish', 'caribbean']

const weighted = (all: readonly (readonly [id: string, heritage: Heritage])[]) =>
  all.flatMap((each) => Array.from({ length: each[1].share }, () => each))
const ANYBODY = weighted(Object.entries(HERITAGES))
const OF_SICKLE = ANYBODY.filter(([id]) => SICKLE.includes(id))

function givenOf(draw: Draw, [id, heritage]: readonly [string, Heritage], sex: Sex, born: string) {
  const names = heritage[born < '1960' ? 'older' : 'younger'][sex]
  const first = draw.one(names)
  const second = draw.one(names.filter((name) => name !== first))
  return SECOND.includes(id) && draw.chance(0.45) ? `${first} ${second}` : first
}

function titleOf(draw: Draw, sex: Sex, age: number, kin: Kin): string {
  if (sex === 'male') return age > 40 && draw.chance(0.02) ? 'Dr' : 'Mr'
  if (kin.relationship === 'partner' || (kin.relationship === 'child' && age > 70)) return 'Mrs'
  return draw.one(age > 65 ? ['Mrs', 'Mrs', 'Mrs', 'Miss', 'Ms'] : ['Mrs', 'Miss', 'Ms', 'Ms'])
}

function homeOf(draw: Draw, { profile, stage }: Card, age: number): Home {
  const { careHome } = PROFILES[profile]
  if (profile === 'learning') return draw.chance(careHome) ? 'care-home' : 'family'
  if (draw.chance(stage === 'early' ? careHome / 2 : careHome)) return 'care-home'
  if (age >= 92) return draw.one(['alone', 'alone', 'family'])
  if (age >= 80) return draw.one(['alone', 'alone', 'partner', 'family'])
  if (age >= 50) return draw.one(['partner', 'partner', 'partner', 'alone', 'alone', 'family'])
  return draw.one(
    age < 30 ? ['family', 'family', 'alone'] : ['partner', 'partner', 'family', 'alone'],
  )
}

/** Old people who are going downhill are frail, whatever else they have. */
function frailtyOf({ profile, stage }: Card, age: number): readonly ConditionId[] {
  if (age < 78 || ['frailty', 'well'].includes(profile) || stage === 'none') return []
  return stage === 'early' ? ['frail-moderate'] : ['frail-severe']
}

function illnesses(draw: Draw, card: Card, age: number, main: ConditionId): Person['conditions'] {
  const fits = (id: ConditionId) => {
    const { least, ago } = CONDITIONS[id]
    return id !== main && least + ago[0] < age
  }
  const beside = PROFILES[card.profile].beside.filter(fits)
  const most = card.profile === 'well' ? 1 : age > 70 ? 3 : 2
  return [main, ...draw.some(beside, draw.between(age > 70 ? 1 : 0, most)), ...frailtyOf(card, age)]
}

function problemOf(draw: Draw, id: ConditionId, born: string): DemoProblem {
  const { text, code, least, ago } = CONDITIONS[id] as Condition
  const year = Number(born.slice(0, 4))
  const drawn = YEAR - draw.between(...ago)
  const since = ago[1] === 0 ? year : Math.max(drawn, year + least + 1)
  return { text, ...(code === undefined ? {} : { code }), since: String(since) }
}

/** An age that the main illness can have, and that is not too old for the profile. */
function ageOf(draw: Draw, card: Card, main: ConditionId): number {
  const [least, most] = PROFILES[card.profile].ages
  const { least: onset, ago } = CONDITIONS[main]
  const from = Math.max(least, onset + ago[0] + 1)
  // Of two draws the greater: the old are most of those who need a plan.
  const drawn = [draw.between(from, most), draw.between(from, most)]
  return card.stage === 'none' || card.profile === 'sickle'
    ? (drawn[0] ?? from)
    : Math.max(...drawn)
}

/** @param seed what is drawn by */
export function personOf(seed: string, card: Card, nhsNumber: string): Person {
  const draw = drawFrom(seed)
  const { main: usual, late } = PROFILES[card.profile]
  const far = card.stage === 'declining' || isLast(card.stage)
  const main = draw.one((far && late) || usual)
  const age = ageOf(draw, card, main)
  const sex = SEXES[main] ?? draw.one(['female', 'female', 'female', 'male', 'male'] as const)
  const deceased = card.stage === 'dead' ? daysBefore(REFERENCE, draw.between(10, 260)) : undefined
  const born = daysBefore(deceased ?? REFERENCE, Math.floor(age * 365.2425) + draw.between(2, 360))
  const heritage = draw.one(card.profile === 'sickle' ? OF_SICKLE : ANYBODY)
  const home = homeOf(draw, card, age)
  const careHome = home === 'care-home' ? draw.one(CARE_HOMES) : undefined
  const family = draw.one(heritage[1].family)
  const given = givenOf(draw, heritage, sex, born)
  const kin = kinOf(draw, { home, age, sex, given, family, heritage: heritage[1] })
  const conditions = illnesses(draw, card, age, main)
  const allergies = allergiesOf(draw)
  const planned = card.stage !== 'none'
  const patient: DemoPatient = {
    nhsNumber,
    fhirId: fixedId(`${seed}/fhir`),
    ...(planned || draw.chance(0.3) ? { ehrId: fixedId(`${seed}/ehr`) } : {}),
    title: titleOf(draw, sex, age, kin),
    ...{ given, family, birthDate: born, gender: sex, address: addressOf(draw, careHome) },
    phone: careHome?.phone ?? (age > 60 ? landline(draw) : mobile(draw)),
    ...(deceased === undefined ? {} : { deceased }),
    ...(card.sensitive ? { sensitive: true } : {}),
    plan: planned,
    problems: conditions.map((id) => problemOf(draw, id, born)),
    allergies,
    medication: medicationOf(draw, conditions, allergies, card.stage),
  }
  const { language, faiths } = heritage[1]
  return {
    ...{ patient, card, age, conditions, home, kin, faith: draw.one(faiths) },
    ...(careHome === undefined ? {} : { careHome }),
    ...(language === undefined ? {} : { language }),
  }
}
