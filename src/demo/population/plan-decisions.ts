/** The sections that others act on in minutes, and those that stand behind them. */
import type { DemoEntry } from '../plans.js'
import { CLINICIANS, type Clinician } from './clinicians.js'
import { WORDS } from './illness-words.js'
import type { Person } from './person.js'
import { isLast } from './profiles.js'
import { entry, reviewOf, type Story } from './story.js'

export const wordsOf = ({ card }: Person) =>
  WORDS[card.profile === 'well' ? 'frailty' : card.profile]

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)

const TALKED = ['at home', 'in clinic', 'on the ward before discharge', 'on a home visit']

function capacityText({ capacity, person, attorney, draw, told }: Story): string {
  const where = person.home === 'care-home' ? `at ${person.careHome?.name}` : draw.one(TALKED)
  const also = attorney === 'appointed' ? ', attorney for health and welfare,' : ''
  if (capacity === 'lacks')
    return told(
      `{Mr} lacks capacity for this decision. Best interests discussion ${where} with {kin} ({word})${also} and those who care for {him}. What {he} said in better days was taken into account.`,
    )
  if (capacity === 'fluctuates')
    return told(
      `{Mr}’s capacity comes and goes. Talked about ${where} on a good day, with {kin} ({word}) present.`,
    )
  return told(
    `{Mr} has capacity for this decision and took full part. Talked about ${where}, with {kin} ({word}) present at {his} request.`,
  )
}

const ATTEMPT = [
  'Wants CPR to be attempted. To be talked about again when things change.',
  'CPR has a fair chance of success, and {Mr} wants it to be attempted.',
]

const FORMS = [
  'Yellow folder in the hall',
  'Message in a bottle, fridge door',
  'Folder beside the telephone',
  'Bedside drawer',
]

function involved({ person, capacity, attorney, team }: Story) {
  const { patient, kin } = person
  const role = attorney === 'appointed' ? `${capital(kin.word)}, attorney` : capital(kin.word)
  return [
    {
      name: `${patient.given.split(' ')[0]} ${patient.family}`,
      relationship: 'Patient',
      part: capacity === 'lacks' ? 'told' : 'present',
    },
    { name: kin.name, relationship: role, part: 'present' },
    {
      name: team.nurse.by.split(',')[0] ?? '',
      relationship: team.nurse.by.split(', ')[1] ?? '',
      part: 'told',
    },
  ]
}

/** What was decided before: only where the illness is old enough for it. */
function before(story: Story, gp: Clinician): Pick<DemoEntry, 'earlier'> {
  const { draw, decided, day, person, told } = story
  const [first] = person.patient.problems
  if (Number(first?.since) > 2023 || !draw.chance(0.4)) return {}
  const ago = decided + draw.between(150, 480)
  const values = {
    ...{ decision: 'attempt', reason: told(ATTEMPT[0] ?? ''), 'has-capacity': 'has' },
    ...{ decided: day(ago), review: day(ago - 365), 'decided-by': gp.signs },
  }
  return { earlier: [{ by: gp.by, on: day(ago), values }] }
}

export function resuscitation(story: Story): DemoEntry | undefined {
  const { cpr, person, capacity, decided, day, told, draw, team } = story
  if (cpr === undefined) return undefined
  const no = cpr === 'do-not-attempt'
  const signed = no && draw.chance(0.7)
  const values = {
    decision: cpr,
    reason: told(no ? wordsOf(person).reason : draw.one(ATTEMPT)),
    ...{ 'has-capacity': capacity, capacity: capacityText(story) },
    ...{ decided: day(decided), review: day(reviewOf(story)), 'decided-by': team.decides.signs },
    involved: involved(story),
    ...(signed ? { endorser: team.decides.signs, endorsed: day(decided) } : {}),
    ...(no
      ? { form: person.home === 'care-home' ? 'Care file in the office' : draw.one(FORMS) }
      : {}),
  }
  return {
    ...entry(story, team.decides, decided, values),
    ...(no ? before(story, team.gp) : {}),
  }
}

/** Per priority: what to think of, what not to give, and where the mark stands. Nothing stands in both. */
// biome-ignore format: a table
const TREATMENT = {
  'sustaining-life': { consider: ['admission', 'iv-antibiotics', 'iv-fluids', 'oral-antibiotics'], not: [],                                        scale: [5, 30] },
  balance:           { consider: ['admission', 'iv-antibiotics', 'oral-antibiotics'],              not: ['dialysis', 'intensive-care'],            scale: [40, 65] },
  comfort:           { consider: ['oral-antibiotics'],                                             not: ['feeding', 'dialysis', 'niv', 'intensive-care'], scale: [75, 100] },
} as const

export function treatment(story: Story): DemoEntry {
  const { person, priority, capacity, decided, day, told, draw, team } = story
  const { consider, not, scale } = TREATMENT[priority]
  const words = wordsOf(person)
  return entry(story, team.decides, decided, {
    priority,
    recommendations: told(priority === 'sustaining-life' ? words.early : words.late || words.early),
    consider: [...consider],
    ...(not.length === 0 ? {} : { 'not-for': [...not] }),
    hospital: told(words.hospital),
    scale: `${draw.between(scale[0], scale[1])} %`,
    'has-capacity': capacity,
    ...{ decided: day(decided), 'decided-by': team.decides.signs, review: day(reviewOf(story)) },
  })
}

const two = (number: number) => String(number).padStart(2, '0')

export function legal(story: Story): DemoEntry {
  const { person, attorney, draw, decided, day, team } = story
  const { kin, card } = person
  const refuses = card.profile === 'neurology' && isLast(card.stage)
  const registered = `${draw.between(2014, 2023)}-${two(draw.between(1, 12))}-${two(draw.between(1, 28))}`
  const row = {
    ...{ name: kin.name, relationship: kin.relationship, phone: kin.phone },
    ...{ powers: draw.one([['health'], ['health', 'life-sustaining']]), registered },
  }
  return entry(story, team.gp, decided, {
    adrt: refuses ? 'life-sustaining' : 'none',
    ...(refuses
      ? {
          refused: 'A tube in the windpipe and a breathing machine, also if life is at risk.',
          ...{
            'adrt-date': day(decided + 60),
            'adrt-place': 'Plastic wallet on the fridge; copy at the surgery',
          },
        }
      : {}),
    lpa: attorney,
    ...(attorney === 'appointed' ? { attorneys: [row] } : {}),
    ...(draw.chance(0.3)
      ? { documents: [{ name: 'Will', place: 'Solicitor', source: 'Hartley & Finch' }] }
      : {}),
  })
}

export function consent(story: Story): DemoEntry {
  const { capacity, attorney, person, decided, day, draw, team } = story
  const last = isLast(person.card.stage)
  const lacking = attorney === 'appointed' ? 'attorney' : 'best-interests'
  const author = draw.one([team.gp, team.nurse])
  return entry(story, author, decided, {
    sharing: capacity === 'lacks' ? lacking : 'given',
    ...{ 'given-on': day(decided), 'recorded-by': author.signs },
    register: last ? 'yes' : 'no',
    ...(last ? { registered: day(decided) } : {}),
  })
}

const BLOOD = {
  ss: 'Sickle-negative, Rh and Kell matched. Transfuse only after speaking to haematology.',
  sc: 'Rh and Kell matched. Exchange only after speaking to haematology: the haemoglobin is high.',
} as const

const COMPLICATIONS = ['chest', 'stroke', 'sequestration', 'infection', 'transfusion']

/** The crisis plan, for those who have the illness and nobody else. */
export function sickleCell(story: Story): DemoEntry {
  const { person, draw, decided, day } = story
  const type = person.conditions[0] === 'sickle-sc' ? 'sc' : 'ss'
  const allergies = person.patient.allergies.map(({ text }) => text)
  const strong = allergies.includes('Morphine') ? 'Oxycodone' : 'Morphine'
  const complications = draw.some(COMPLICATIONS, draw.between(0, 2))
  return entry(story, CLINICIANS.asante, decided, {
    type,
    analgesia: [
      {
        medicine: strong,
        dose: '5 mg under the skin or 10 mg by mouth',
        repeat: 'After 30 minutes, twice',
      },
      { medicine: 'Paracetamol', dose: '1 g by mouth', repeat: 'Every 6 hours' },
    ],
    avoid: ['Pethidine', ...allergies].join('; '),
    baseline: `${type === 'ss' ? draw.between(64, 92) : draw.between(96, 118)} g/L`,
    saturation: `${draw.between(94, 98)} %`,
    ...(complications.length === 0 ? {} : { complications: [...complications] }),
    ...{ blood: BLOOD[type], hospital: 'Northbank General, Elm Ward, direct admission' },
    team: 'Haematology on call, 020 7946 0140 (24 hours)',
    ...{ written: day(decided), review: day(reviewOf(story)) },
  })
}
