/** The sections in the person's own words, or in those of who speaks for them. */
import type { DemoEntry } from '../plans.js'
import type { Draw } from './draw.js'
import {
  ACCESS,
  ACCESS_BY_KIN,
  JOYS,
  JOYS_TOLD,
  MOBILITY,
  SUPPORT,
  SUPPORT_LITTLE,
  WISHES,
  WISHES_TOLD,
  WORK,
  WORK_NOW,
} from './life-words.js'
import { HERITAGES } from './names.js'
import { isLast } from './profiles.js'
import { entry, type Story, someNumber, speaker } from './story.js'

const HOUSEHOLD = {
  alone: 'On my own',
  partner: 'With {kin}, my {word}',
  family: 'With {kin}, my {word}, and family',
  'care-home': 'Here at the home',
} as const

const PETS = [
  'A cat, Misty',
  'Biscuit the dog',
  'Two budgerigars',
  'The neighbour’s cat, who has moved in',
]

/** Person's sections are written in the same days as the decisions, or after. */
const written = ({ draw, decided }: Story): number => draw.between(1, decided)

export function personal(story: Story): DemoEntry {
  const { person, draw, own } = story
  const [given = ''] = person.patient.given.split(' ')
  const pet = person.home !== 'care-home' && draw.chance(0.25)
  return entry(story, speaker(story), written(story), {
    called: draw.chance(0.75) ? given : own('{Mr}'),
    faith: person.faith,
    household: own(HOUSEHOLD[person.home]),
    ...(pet ? { depends: draw.one(PETS) } : {}),
  })
}

const ATTORNEY = {
  appointed: '{kin}, health and welfare, registered',
  'not-registered': 'None yet: made, not registered',
  none: 'None',
} as const

const SAFE = 'The address is protected: do not read it out, and leave no message.'

function others(draw: Draw, { person }: Story) {
  if (person.card.sensitive || !draw.chance(0.5)) return []
  const { family } = HERITAGES.english ?? { family: [] }
  const [given, surname] = [
    draw.one(['Pat', 'Chris', 'Sam', 'Jo', 'Lee', 'Robin']),
    draw.one(family),
  ]
  return [
    {
      name: `${given} ${surname}`,
      relationship: 'friend',
      phone: someNumber(draw),
      roles: ['key'],
    },
  ]
}

const ALWAYS = '24 hours'
// biome-ignore format: a table
const TEAMS = {
  community:   { name: 'District nurses, Riverside', role: 'Community nursing', phone: '020 7946 0110', hours: ALWAYS },
  hospice:     { name: "St Bride's Hospice",         role: 'Advice line',       phone: '020 7946 0120', hours: ALWAYS },
  haematology: { name: 'Haematology on call',        role: 'Northbank General', phone: '020 7946 0140', hours: ALWAYS },
} as const
const SURGERY = { role: 'Named GP', phone: '020 7946 0100', hours: 'Weekdays 8 to 6.30' } as const

const professionals = ({ person, team }: Story) => [
  { name: team.gp.by.split(',')[0] ?? '', ...SURGERY },
  TEAMS.community,
  ...(isLast(person.card.stage) ? [TEAMS.hospice] : []),
  ...(person.card.profile === 'sickle' ? [TEAMS.haematology] : []),
]

export function contacts(story: Story): DemoEntry {
  const { person, draw, attorney, team, decided, told } = story
  const { kin, card } = person
  const first = {
    ...{ name: kin.name, relationship: kin.relationship, phone: kin.phone },
    roles: [
      'emergency',
      'plan',
      ...(person.home === 'alone' ? ['key'] : []),
      ...(person.home === 'partner' ? ['carer'] : []),
    ],
  }
  return entry(story, team.contacts, draw.between(1, decided), {
    'next-of-kin': `${kin.name}, ${kin.word}, ${kin.phone}`,
    attorney: told(ATTORNEY[attorney]),
    people: [first, ...others(draw, story)],
    ...(card.sensitive ? { professionals: SAFE } : {}),
    team: professionals(story),
  })
}

export function communication(story: Story): DemoEntry {
  const { person, draw, own } = story
  const { language, age, home, card } = person
  const interpreter = language !== undefined && age > 62 && draw.chance(0.6)
  const aids =
    age > 62 ? draw.some(['hearing-aid', 'glasses', 'large-print'], draw.between(0, 2)) : []
  const needs =
    card.profile === 'learning'
      ? 'Pictures and easy words. Ask {kin} how {he} says yes and no.'
      : card.profile === 'dementia'
        ? 'Short sentences, one thing at a time. Look at the face, not at the words.'
        : undefined
  const access = card.sensitive
    ? 'By arrangement only. Say who you are through the door before ringing.'
    : home === 'care-home'
      ? 'Front desk; ring the bell at night.'
      : draw.one(home === 'alone' ? [...ACCESS, ACCESS_BY_KIN] : ACCESS)
  return entry(story, speaker(story), written(story), {
    language:
      language === undefined ? 'English' : interpreter ? language : `${language} and English`,
    interpreter: interpreter ? 'yes' : 'no',
    ...(needs === undefined ? {} : { needs: own(needs) }),
    ...(aids.length === 0 ? {} : { aids: [...aids] }),
    access: own(access),
  })
}

export function whatMatters(story: Story): DemoEntry {
  const { person, draw, capacity, own } = story
  const silent = capacity === 'lacks'
  const work = draw.one(person.age < 62 && !isLast(person.card.stage) ? WORK_NOW : WORK)
  const joys = draw.some(silent ? JOYS_TOLD : JOYS, 2).join(' ')
  return entry(story, speaker(story), written(story), {
    ...(silent ? {} : { about: work }),
    matters: own(joys),
  })
}

const DEATH = {
  home: 'Home',
  'care-home': 'Here, in my own room',
  hospice: "St Bride's Hospice",
  undecided: 'Not ready to say',
} as const

export function thinkingAhead(story: Story): DemoEntry {
  const { person, place, draw, capacity, day, own } = story
  const on = written(story)
  return entry(story, speaker(story), on, {
    'place-of-care': person.careHome?.name ?? 'Home',
    ...{ 'place-of-death': DEATH[place], place },
    wishes: own(draw.one(capacity === 'lacks' ? WISHES_TOLD : WISHES)),
    donation: draw.one(['wants', 'refuses', 'undecided', 'undecided']),
    discussed: day(on),
  })
}

const MOVING = {
  early: 'well',
  crisis: 'well',
  declining: 'some',
  palliative: 'little',
  dying: 'bed',
  dead: 'bed',
  none: 'well',
} as const
const EQUIPMENT = {
  well: [],
  some: ['alarm', 'commode'],
  little: ['bed', 'commode', 'wheelchair'],
  bed: ['bed'],
} as const

export function dailySupport(story: Story): DemoEntry {
  const { person, draw, own, team } = story
  const { card, home, conditions } = person
  const moving = MOVING[card.stage]
  const support = moving === 'well' ? SUPPORT_LITTLE : SUPPORT
  const oxygen = moving !== 'well' && conditions.some((id) => id === 'fibrosis') ? ['oxygen'] : []
  const equipment = [...EQUIPMENT[moving], ...oxygen]
  return entry(story, draw.one([team.nurse.by, speaker(story)]), written(story), {
    mobility: MOBILITY[moving],
    support: own(support[home]),
    ...(equipment.length === 0 ? {} : { equipment }),
  })
}
