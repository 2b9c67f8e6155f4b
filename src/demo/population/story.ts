/** What a plan is made of: how far things have come for a person, decided once, so that all of its sections agree. */
import type { DemoEntry } from '../plans.js'
import { type Clinician, type Team, teamOf } from './clinicians.js'
import { type Draw, drawFrom } from './draw.js'
import { daysBefore, type Person } from './person.js'
import { type Home, landline, mobile } from './places.js'
import { isLast, type Stage } from './profiles.js'

/** Codes are those of config/plan/. */
export interface Story {
  readonly person: Person
  readonly draw: Draw
  readonly team: Team
  readonly capacity: 'has' | 'lacks' | 'fluctuates'
  /** `undefined` where nothing has been decided yet. */
  readonly cpr?: 'attempt' | 'do-not-attempt'
  readonly prognosis?: 'days' | 'weeks' | 'months' | 'year' | 'unsure'
  readonly priority: 'sustaining-life' | 'balance' | 'comfort'
  readonly attorney: 'appointed' | 'not-registered' | 'none'
  readonly place: 'home' | 'care-home' | 'hospice' | 'undecided'
  /** How many days before today (of the dead: before their death) the decisions were made. */
  readonly decided: number
  /** The day so many days before today, or before death, as a plan writes it. */
  readonly day: (before: number) => number | string
  /** A text with its braces filled, as a clinician writes it; `own` as the person says it. */
  readonly told: (text: string) => string
  readonly own: (text: string) => string
}

interface Course {
  /** How long ago was decided, and for how many days that holds. */
  readonly decided: readonly [least: number, most: number]
  readonly holds: number
  readonly prognosis: readonly NonNullable<Story['prognosis']>[]
}

// biome-ignore format: a table
const COURSES: Readonly<Record<Exclude<Stage, 'none'>, Course>> = {
  early:      { decided: [30, 330], holds: 365, prognosis: ['year', 'year', 'unsure'] },
  crisis:     { decided: [20, 330], holds: 365, prognosis: [] },
  declining:  { decided: [15, 195], holds: 180, prognosis: ['year', 'year', 'months'] },
  palliative: { decided: [4, 80],   holds: 90,  prognosis: ['months', 'months', 'weeks'] },
  dying:      { decided: [1, 6],    holds: 14,  prognosis: ['days'] },
  dead:       { decided: [2, 30],   holds: 28,  prognosis: ['days'] },
}

/** The days until the decisions are to be looked at again, counted as `day` counts: less than nothing is to come. */
export const reviewOf = ({ person, decided }: Story): number =>
  decided - COURSES[person.card.stage === 'none' ? 'early' : person.card.stage].holds

function capacityOf(draw: Draw, { card }: Person): Story['capacity'] {
  if (card.profile === 'dementia') return card.stage === 'early' ? 'has' : 'lacks'
  if (card.profile === 'learning') return draw.one(['has', 'lacks', 'fluctuates'])
  if (card.stage === 'dying' || card.stage === 'dead')
    return draw.one(['has', 'fluctuates', 'lacks'])
  return card.profile === 'stroke' && draw.chance(0.3) ? 'lacks' : 'has'
}

function cprOf(draw: Draw, stage: Stage, prognosis: Story['prognosis']): Story['cpr'] {
  if (stage === 'crisis') return 'attempt'
  if (stage === 'early') return draw.chance(0.7) ? 'attempt' : undefined
  return stage === 'declining' && prognosis === 'year' && draw.chance(0.3)
    ? 'attempt'
    : 'do-not-attempt'
}

function priorityOf(
  draw: Draw,
  stage: Stage,
  { cpr, prognosis }: Pick<Story, 'cpr' | 'prognosis'>,
) {
  if (cpr !== 'do-not-attempt') return 'sustaining-life'
  if (stage === 'declining') return draw.chance(0.75) ? 'balance' : 'comfort'
  return prognosis === 'months' && draw.chance(0.4) ? 'balance' : 'comfort'
}

function attorneyOf(draw: Draw, { age, card }: Person): Story['attorney'] {
  if (age < 60 || card.stage === 'crisis') return 'none'
  return draw.chance(age > 75 ? 0.5 : 0.25)
    ? 'appointed'
    : draw.one(['none', 'none', 'not-registered'])
}

const PLACES: Readonly<Record<Home, readonly Story['place'][]>> = {
  alone: ['home', 'home', 'hospice', 'undecided'],
  partner: ['home', 'home', 'home', 'hospice'],
  family: ['home', 'home', 'home', 'hospice'],
  'care-home': ['care-home'],
}

const PRONOUNS = {
  female: { He: 'She', he: 'she', him: 'her', his: 'her', His: 'Her' },
  male: { He: 'He', he: 'he', him: 'him', his: 'his', His: 'His' },
} as const

/** @param who how those who stand by the person are called */
const teller = ({ patient, kin }: Person, who: string) => {
  const words: Readonly<Record<string, string>> = {
    ...PRONOUNS[patient.gender],
    Mr: `${patient.title} ${patient.family}`,
    kin: who,
    word: kin.word,
  }
  return (text: string) => text.replace(/\{(\w+)\}/g, (_, name: string) => words[name] ?? '')
}

/** @param seed what is drawn by, the same as for the person */
export function storyOf(seed: string, person: Person): Story {
  const draw = drawFrom(`${seed}/plan`)
  const { card, patient, home } = person
  const stage = card.stage === 'none' ? 'early' : card.stage
  const course = COURSES[stage]
  const prognosis = course.prognosis.length === 0 ? undefined : draw.one(course.prognosis)
  const cpr = cprOf(draw, stage, prognosis)
  return {
    ...{ person, draw, team: teamOf(draw, person) },
    capacity: capacityOf(draw, person),
    ...(cpr === undefined ? {} : { cpr }),
    ...(prognosis === undefined ? {} : { prognosis }),
    priority: priorityOf(draw, stage, { ...(cpr && { cpr }), ...(prognosis && { prognosis }) }),
    attorney: attorneyOf(draw, person),
    place: draw.one(PLACES[home]),
    decided: draw.between(...course.decided),
    day: (before) =>
      patient.deceased === undefined ? 0 - before : daysBefore(patient.deceased, before),
    told: teller(person, person.kin.name),
    own: teller(person, person.kin.name.split(' ')[0] ?? ''),
  }
}

type Values = DemoEntry['values']

/** An entry of so many days ago. */
export const entry = (
  story: Story,
  by: Clinician | string,
  before: number,
  values: Values,
): DemoEntry => ({
  by: typeof by === 'string' ? by : by.by,
  on: story.day(before),
  values,
})

/** Whose words they are: the person's, or those of who speaks for them. */
export function speaker({ person, capacity }: Story): string {
  const { patient, kin } = person
  const [given = ''] = patient.given.split(' ')
  return capacity === 'lacks'
    ? `${kin.name}, ${kin.word}`
    : `${given} ${patient.family}${isLast(person.card.stage) ? ` with ${kin.name}` : ''}`
}

export const someNumber = (draw: Draw): string => (draw.chance(0.7) ? mobile(draw) : landline(draw))
