/** The sections that carers work by: medicines in the home, symptoms, outlook, function. */
import type { DemoEntry } from '../plans.js'
import type { ConditionId } from './conditions.js'
import { ADJUSTMENTS } from './life-words.js'
import { isFit } from './medicines.js'
import type { Person } from './person.js'
import { wordsOf } from './plan-decisions.js'
import { entry, type Story } from './story.js'

interface Anticipated {
  readonly symptom: string
  /** The first that may be given is. */
  readonly choices: readonly (readonly [medicine: string, dose: string])[]
  readonly limit: string
}

const OPIOIDS = [
  ['Morphine', '2.5 mg under the skin'],
  ['Oxycodone', '1.25 mg under the skin'],
] as const
/** Where kidneys fail nothing may build up. */
const RENAL = [['Alfentanil', '100 micrograms under the skin']] as const

const anticipated = (renal: boolean): readonly Anticipated[] => [
  { symptom: 'pain', choices: renal ? RENAL : OPIOIDS, limit: 'Hourly' },
  { symptom: 'breathlessness', choices: renal ? RENAL : OPIOIDS, limit: 'Hourly' },
  { symptom: 'agitation', choices: [['Midazolam', '2.5 mg under the skin']], limit: 'Hourly' },
  {
    symptom: 'nausea',
    choices: [
      ['Levomepromazine', '6.25 mg under the skin'],
      ['Cyclizine', '50 mg under the skin'],
      ['Ondansetron', '4 mg under the skin'],
    ],
    limit: 'Eight-hourly',
  },
  {
    symptom: 'secretions',
    choices: [['Glycopyrronium', '200 micrograms under the skin']],
    limit: 'Four-hourly',
  },
]

const isRenal = ({ conditions }: Person) =>
  conditions.some((id: ConditionId) => id === 'kidney-4' || id === 'kidney-5')

const KEPT = [
  'Grey lidded box on top of the kitchen wall cupboard',
  'Sideboard in the front room',
  'Wardrobe in the back bedroom, top shelf',
  'Locked box beside the bed; the nurses hold the code',
]

/** Only for the end of life: the caller sees to it. */
export function medication(story: Story): DemoEntry {
  const { person, draw, decided, day, team } = story
  const { conditions, home, patient, card } = person
  const items = anticipated(isRenal(person)).map(({ symptom, choices, limit }) => {
    const [medicine, dose] =
      choices.find(([name]) => isFit(name, conditions, patient.allergies)) ?? choices[0] ?? []
    return { medicine: medicine ?? '', symptom, dose: dose ?? '', limit }
  })
  const checked = Math.min(decided, draw.between(1, 6))
  const allergies = patient.allergies
    .map(({ text, reaction }) => `${text} (${reaction})`)
    .join('; ')
  const pump =
    card.stage === 'palliative' ? '' : ' A syringe pump is running; its rate is on the chart.'
  return entry(story, team.nurse, checked, {
    supplied: 'yes',
    location: home === 'care-home' ? 'Treatment room, controlled drugs cupboard' : draw.one(KEPT),
    items,
    medicines: `Prescribed just in case, with a signed administration chart. Water for injections, syringes and a sharps bin are with them.${pump}`,
    chart: home === 'care-home' ? 'Treatment room' : 'With the medicines',
    allergies: allergies === '' ? 'None known' : allergies,
    ...{ checked: day(checked), review: day(checked - 28) },
  })
}

export function symptoms(story: Story): DemoEntry {
  const { person, told, team, decided, draw } = story
  const { problems, helps } = wordsOf(person)
  const low = person.conditions.includes('copd') ? '88 %' : undefined
  return entry(story, draw.one([team.decides, team.nurse]), decided, {
    ...{ problems: told(problems), plan: told(helps) },
    ...(low === undefined ? {} : { saturation: low }),
  })
}

const AWARE: Readonly<Record<string, string>> = {
  days: '{kin} and those who care for {him} know that {he} is dying.',
  weeks: '{Mr} and {kin} know that time is likely to be weeks.',
  months: '{kin} knows that time is likely to be months. {Mr} prefers not to speak of numbers.',
  year: '{Mr} and {kin} know that the illness will not go away, and want to plan while there is time.',
  unsure: 'Nobody can say how this will go. {Mr} and {kin} have been told so.',
}

export function prognosis(story: Story): DemoEntry | undefined {
  const { person, prognosis: outlook, told, team, decided, day } = story
  if (outlook === undefined) return undefined
  const diagnoses = person.patient.problems
    .map(({ text, since }) => `${text} (${since})`)
    .join(', ')
  return entry(story, team.decides, decided, {
    diagnoses: `${diagnoses}.`,
    ...{ prognosis: outlook, estimated: day(decided), aware: told(AWARE[outlook] ?? '') },
  })
}

/** Performance status (AKPS) in per cent, and the frailty of those whom no coded frailty says it of. */
const FUNCTION = {
  early: { akps: [70, 90], frailty: ['cfs-3', 'cfs-4', 'cfs-5'] },
  crisis: { akps: [80, 100], frailty: ['cfs-2', 'cfs-3'] },
  declining: { akps: [40, 60], frailty: ['cfs-5', 'cfs-6'] },
  palliative: { akps: [30, 50], frailty: ['cfs-6', 'cfs-7'] },
  dying: { akps: [10, 20], frailty: ['cfs-9'] },
  dead: { akps: [10, 20], frailty: ['cfs-9'] },
} as const

function frailtyOf({ person, draw }: Story): string {
  const { conditions, card } = person
  const stage = card.stage === 'none' ? 'early' : card.stage
  if (stage === 'dying' || stage === 'dead') return 'cfs-9'
  if (conditions.includes('frail-severe')) return draw.one(['cfs-7', 'cfs-8'])
  return conditions.includes('frail-moderate') ? 'cfs-6' : draw.one(FUNCTION[stage].frailty)
}

function disabilitiesOf({ person, draw }: Story): readonly string[] {
  const { age, card } = person
  return [
    ...(age > 70 ? draw.some(['hearing', 'sight'], draw.between(0, 2)) : []),
    ...(card.stage === 'early' || card.stage === 'crisis' ? [] : ['mobility']),
    ...(card.profile === 'learning' ? ['learning'] : []),
    ...(card.profile === 'dementia' ? ['memory'] : []),
  ]
}

export function functionalStatus(story: Story): DemoEntry {
  const { person, draw, decided, day, team } = story
  const stage = person.card.stage === 'none' ? 'early' : person.card.stage
  const [least, most] = FUNCTION[stage].akps
  const disabilities = disabilitiesOf(story)
  const assessed = draw.between(1, decided)
  return entry(story, team.nurse, assessed, {
    akps: `${10 * draw.between(least / 10, most / 10)} %`,
    ...{ frailty: frailtyOf(story), assessed: day(assessed) },
    ...(disabilities.length === 0 ? {} : { disabilities: [...disabilities] }),
    adjustments: draw.some(ADJUSTMENTS, draw.between(1, 2)).join(' '),
  })
}
