/** A person's shared care plan: which sections it has, by how far things have come. */
import type { DemoEntry, DemoPlan } from '../plans.js'
import type { Person } from './person.js'
import { functionalStatus, medication, prognosis, symptoms } from './plan-care.js'
import { consent, legal, resuscitation, sickleCell, treatment } from './plan-decisions.js'
import {
  communication,
  contacts,
  dailySupport,
  personal,
  thinkingAhead,
  whatMatters,
} from './plan-life.js'
import { isLast, type Stage } from './profiles.js'
import { type Story, storyOf } from './story.js'

/** Always, or how often at a stage. */
type Share = (stage: Stage) => number

const always: Share = () => 1
const last: Share = (stage) => (isLast(stage) ? 1 : 0)
const crisis: Share = (stage) => (stage === 'crisis' ? 1 : 0)
const later =
  (early: number): Share =>
  (stage) =>
    isLast(stage) ? 1 : stage === 'declining' ? (early + 1) / 2 : early

// biome-ignore format: a table
const SECTIONS: readonly (readonly [id: string, share: Share, make: (story: Story) => DemoEntry | undefined])[] = [
  ['resuscitation',        always,      resuscitation],
  ['treatment-escalation', always,      treatment],
  ['legal',                later(0.5),  legal],
  ['medication',           last,        medication],
  ['symptoms',             always,      symptoms],
  ['prognosis',            later(0.6),  prognosis],
  ['functional-status',    later(0.4),  functionalStatus],
  ['consent',              always,      consent],
  ['personal',             later(0.7),  personal],
  ['contacts',             always,      contacts],
  ['communication',        later(0.7),  communication],
  ['what-matters',         always,      whatMatters],
  ['thinking-ahead',       later(0.5),  thinkingAhead],
  ['daily-support',        later(0.7),  dailySupport],
  ['sickle-cell',          crisis,      sickleCell],
]

function sectionsOf(story: Story): DemoPlan['sections'] {
  const { stage } = story.person.card
  return Object.fromEntries(
    SECTIONS.flatMap(([id, share, make]) => {
      const entry = story.draw.chance(share(stage)) ? make(story) : undefined
      return entry === undefined ? [] : [[id, entry] as const]
    }),
  )
}

/** Made when it is first looked at. @param seed what the person was drawn by */
export function planOf(seed: string, person: Person): DemoPlan {
  let story: Story | undefined
  let sections: DemoPlan['sections'] | undefined
  const known = () => {
    story ??= storyOf(seed, person)
    return story
  }
  return {
    patient: person.patient.nhsNumber,
    // Nothing in a plan is older than its decisions.
    get created() {
      return known().day(known().decided)
    },
    get sections() {
      sections ??= sectionsOf(known())
      return sections
    },
  }
}
