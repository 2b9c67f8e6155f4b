import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import fc from 'fast-check'
import request from 'supertest'
import { parse } from 'yaml'
import {
  type Composition,
  unclearFields,
  unshown,
  valuesOf,
} from '../../public/care-plan/composition.js'
import type { Section } from '../../public/care-plan/definition.js'
import { readBirthDate, readNhsNumber } from '../../src/core/nhs-number.js'
import { LENGTHS, type PlanField, ROWS } from '../../src/core/plan.js'
import { quantityOf, rowsOf, type Values } from '../../src/core/plan-values.js'
import { checkComposition, compositionOf } from '../../src/demo/composition.js'
import { PATIENTS } from '../../src/demo/patients.js'
import { type DemoEntry, type DemoPlan, dayOf, fieldTexts } from '../../src/demo/plans.js'
import { CLINICIANS, type Clinician } from '../../src/demo/population/clinicians.js'
import { ALLERGIES, CONDITIONS } from '../../src/demo/population/conditions.js'
import { type Person, REFERENCE } from '../../src/demo/population/person.js'
import {
  everyone,
  type Population,
  populate,
  population,
} from '../../src/demo/population/population.js'
import { createRecord } from '../../src/demo/record.js'
import { createPolicies } from '../../src/policy/engine.js'
import { openPlan } from '../../src/policy/plan-files.js'
import { section as about, ask, FILES, ORDINARY } from '../policy/asking.js'

const form = openPlan('config/plan/sections.yaml').sections
const NOW = Date.parse('2026-11-23T12:00:00Z')
const TODAY = '2026-11-23'

type Planned = readonly [person: Person, plan: DemoPlan]
const planned = ({ people, plans }: Population): readonly Planned[] =>
  plans.map((plan) => {
    const person = people.find(({ patient }) => patient.nhsNumber === plan.patient)
    if (person === undefined) throw new Error(plan.patient)
    return [person, plan]
  })

const WORLDS = [
  ['the shipped one', population()],
  ...fc.sample(fc.string({ maxLength: 12 }), 6).map((seed) => [seed, populate(seed)] as const),
] as const

/** The shipped seed, and any other: what is so by construction is so for all. */
function forAnySeed(check: (all: Population) => void, most = WORLDS.length): void {
  for (const [seed, all] of WORLDS.slice(0, most)) {
    try {
      check(all)
    } catch (error) {
      throw new Error(`With the seed ${JSON.stringify(seed)}: ${(error as Error).message}`)
    }
  }
}

/** What an entry says of a field, in days where it is a day. */
const said = (entry: DemoEntry | undefined, field: string): unknown => entry?.values[field]
const day = (value: unknown): string => dayOf(value as string | number, NOW)

/** What must not be given: by allergy, and by illness. Said here once more, in other words than the tables it holds to. */
// biome-ignore format: a table
const NEVER: readonly (readonly [who: RegExp, what: RegExp])[] = [
  [/^Penicillin$/,                    /cillin/i],
  [/^Morphine$/,                      /morphine/i],
  [/^Codeine$/,                       /codeine/i],
  [/^(Aspirin|Ibuprofen)$/,           /ibuprofen|naproxen|diclofenac/i],
  [/^Aspirin$/,                       /aspirin/i],
  [/^Ramipril$/,                      /ramipril/i],
  [/^Cyclizine$/,                     /cyclizine/i],
  [/^Haloperidol$/,                   /haloperidol|levomepromazine/i],
  [/kidney disease stage [45]/,       /metformin|morphine|codeine/i],
  [/^(Parkinson|Dementia with Lewy)/, /haloperidol|metoclopramide|levomepromazine|prochlorperazine/i],
  [/^Asthma$/,                        /bisoprolol|atenolol|propranolol/i],
]
function forbidden({ patient }: Person, medicines: readonly string[]): readonly string[] {
  const has = [...patient.problems, ...patient.allergies].map(({ text }) => text)
  const never = NEVER.filter(([who]) => has.some((each) => who.test(each)))
  return medicines.filter((each) => never.some(([, what]) => what.test(each)))
}

describe('the two hundred', () => {
  it('are the same at every start, and others under another seed', () => {
    const look = ({ people, plans }: Population) => [people, plans.map(({ sections }) => sections)]
    expect(look(populate('a'))).toEqual(look(populate('a')))
    expect(look(populate('a'))).not.toEqual(look(populate('b')))
  })

  it('have numbers, ids and names that are nobody else’s', () => {
    forAnySeed(({ patients }) => {
      expect(patients).toHaveLength(200)
      const all = [...PATIENTS, ...patients]
      for (const { nhsNumber } of patients) {
        expect(nhsNumber).toMatch(/^999/)
        expect(readNhsNumber(nhsNumber)).toBe(nhsNumber)
      }
      const ids = all.flatMap(({ fhirId, ehrId }) => [fhirId, ...(ehrId ? [ehrId] : [])])
      for (const id of ids) expect(id).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
      expect(new Set(ids).size).toBe(ids.length)
      expect(new Set(all.map(({ nhsNumber }) => nhsNumber)).size).toBe(212)
      expect(new Set(patients.map(({ given, family }) => `${given} ${family}`)).size).toBe(200)
    })
  })

  it('are mostly old, and of every kind that the demonstration needs', () => {
    forAnySeed(({ people, patients, plans }) => {
      const ages = people.map(({ age }) => age).toSorted((a, b) => a - b)
      expect(ages[0]).toBeGreaterThanOrEqual(18)
      expect(ages.at(-1)).toBeLessThan(103)
      expect(ages[100]).toBeGreaterThanOrEqual(72)
      const count = (which: (person: Person) => boolean | undefined) => people.filter(which).length
      expect(count(({ patient }) => patient.deceased !== undefined)).toBe(9)
      expect(count(({ patient }) => patient.sensitive)).toBe(6)
      expect(count(({ card }) => card.stage === 'crisis')).toBe(10)
      expect(count(({ patient }) => !patient.plan)).toBe(33)
      const none = patients.filter(({ plan }) => !plan)
      expect(none.some(({ ehrId }) => ehrId === undefined)).toBe(true)
      expect(plans.map(({ patient }) => patient)).toEqual(
        patients.filter(({ plan, ehrId }) => plan && ehrId).map(({ nhsNumber }) => nhsNumber),
      )
    })
  })

  it('were born before they fell ill, and fell ill before they died', () => {
    forAnySeed(({ people }) => {
      for (const { patient, age, conditions } of people) {
        const last = patient.deceased ?? REFERENCE
        expect(readBirthDate(patient.birthDate)).toBe(patient.birthDate)
        const [year, rest] = [Number(last.slice(0, 4)), last.slice(5) < patient.birthDate.slice(5)]
        expect(year - Number(patient.birthDate.slice(0, 4)) - (rest ? 1 : 0)).toBe(age)
        expect(last <= REFERENCE).toBe(true)
        patient.problems.forEach(({ since }, at) => {
          const { least } = CONDITIONS[conditions[at] ?? conditions[0]]
          expect(Number(since)).toBeGreaterThanOrEqual(
            Number(patient.birthDate.slice(0, 4)) + least,
          )
          expect(since <= last.slice(0, 4)).toBe(true)
        })
        expect(new Set(conditions).size).toBe(conditions.length)
      }
    })
  })

  it('take nothing that they are allergic to, that their illness forbids, or twice', () => {
    forAnySeed(({ people }) => {
      for (const person of people) {
        const { patient } = person
        const { allergies, medication } = patient
        expect(forbidden(person, medication)).toEqual([])
        const names = medication.map((each) => each.split(' ')[0])
        expect(new Set(names).size).toBe(names.length)
        for (const { text } of allergies) expect(ALLERGIES.map((each) => each.text)).toContain(text)
        if (patient.deceased !== undefined) expect(medication).toEqual([])
      }
    })
  })

  it('have telephone numbers that are kept free for drama', () => {
    forAnySeed((all) => {
      const texts = JSON.stringify([all.people, all.plans.map(({ sections }) => sections)])
      const numbers = texts.match(/\b0(?:7\d{3} \d{6}|20 \d{4} \d{4})\b/g) ?? []
      expect(numbers.length).toBeGreaterThan(200)
      for (const number of numbers) expect(number).toMatch(/^(?:07700 900\d{3}|020 7946 0\d{3})$/)
    })
  })
})

/** What no form would let through. */
function faultsOf(fields: readonly PlanField[], values: Values): readonly string[] {
  return fields.flatMap((field) => {
    const text = values[field.id] ?? ''
    if (text === '') return field.required ? [`${field.id}: required`] : []
    if (field.type === 'group') {
      const rows = rowsOf(text)
      const many = rows.length > (field.most ?? ROWS) ? [`${field.id}: too many rows`] : []
      return [...many, ...rows.flatMap((row) => faultsOf(field.fields ?? [], row))]
    }
    if (field.type === 'yes-no') return ['yes', 'no'].includes(text) ? [] : [`${field.id}: ${text}`]
    if (field.type === 'quantity') {
      const { number } = quantityOf(text) ?? { number: 'none' }
      const [least, most] = field.range ?? [0, 0]
      return Number(number) >= least && Number(number) <= most ? [] : [`${field.id}: ${text}`]
    }
    const longest = field.most ?? LENGTHS[field.type === 'long-text' ? 'long-text' : 'text']
    return text.length > longest || /[{}]|undefined/.test(text) ? [`${field.id}: ${text}`] : []
  })
}

/** What record, app or form would make something else of than was meant. */
function misfits(id: string, { by, on, values }: Omit<DemoEntry, 'earlier'>): readonly unknown[] {
  const section = form.find((each) => each.id === id)
  if (section === undefined) return [`There is no section ${id}`]
  const texts = fieldTexts(section.fields, values, NOW)
  const composition = compositionOf(section, texts, by, `${day(on)}T09:30:00.000Z`)
  const checked = checkComposition(composition, form)
  const [shown, read] = [section as Section, composition as unknown as Composition]
  const found = valuesOf(shown, read)
  return [
    ...faultsOf(section.fields, texts),
    ...('faults' in checked ? checked.faults : []),
    ...(unshown(shown, read) > 0 ? [`${id}: values that the app does not show`] : []),
    ...unclearFields(shown, read),
    ...section.fields.filter((field) => found[field.id] !== (texts[field.id] ?? '')),
  ]
}

/** Fields whose day has been when the section is written. */
const PAST =
  'decided endorsed checked estimated assessed given-on registered discussed written adrt-date'.split(
    ' ',
  )

describe('their plans', () => {
  it('fit the plan’s definitions, to the record, to the app that reads them and to its forms', () => {
    forAnySeed((all) => {
      const wrong = all.plans.flatMap(({ sections }) =>
        Object.entries(sections).flatMap(([id, { earlier = [], ...newest }]) =>
          [...earlier, newest].flatMap((version) => misfits(id, version)),
        ),
      )
      expect(wrong).toEqual([])
    }, 2)
  })

  it('are dated in their order: nothing of tomorrow, nothing after a death, nothing before its illness', () => {
    forAnySeed((all) => {
      const wrong: string[] = []
      for (const [{ patient }, { sections, created }] of planned(all)) {
        const last = patient.deceased ?? TODAY
        const firsts = Object.values(sections).map(({ on }) => day(on))
        expect(day(created)).toBe(firsts.toSorted()[0])
        for (const { earlier = [], ...newest } of Object.values(sections)) {
          const days = [...earlier, newest].map(({ on }) => day(on))
          const bounds = [String(patient.problems[0]?.since), ...days, last]
          wrong.push(...bounds.filter((each, at) => at > 0 && each <= (bounds[at - 1] ?? '')))
          for (const { on, values } of [...earlier, newest]) {
            wrong.push(...PAST.filter((name) => values[name] && day(values[name]) > day(on)))
            if (values.review !== undefined && day(values.review) <= day(on)) wrong.push('review')
          }
        }
        const rows = (said(sections.legal, 'attorneys') ?? []) as { registered: string }[]
        wrong.push(
          ...rows
            .filter(({ registered }) => registered >= day(created))
            .map(({ registered }) => registered),
        )
      }
      expect(wrong).toEqual([])
    })
  })

  it('decide about resuscitation as the outlook allows', () => {
    forAnySeed((all) => {
      for (const [{ card }, { sections }] of planned(all)) {
        const decision = said(sections.resuscitation, 'decision')
        const outlook = said(sections.prognosis, 'prognosis')
        const priority = said(sections['treatment-escalation'], 'priority')
        if (['days', 'weeks', 'months'].includes(String(outlook)))
          expect(decision).toBe('do-not-attempt')
        if (decision === 'attempt') expect(priority).toBe('sustaining-life')
        if (priority !== 'sustaining-life') expect(decision).toBe('do-not-attempt')
        if (card.stage === 'crisis') expect(decision).toBe('attempt')
        const { consider, 'not-for': not = [] } = (sections['treatment-escalation']?.values ??
          {}) as Record<string, string[]>
        expect(consider?.filter((each) => not.includes(each))).toEqual([])
        const scale = Number.parseInt(String(said(sections['treatment-escalation'], 'scale')), 10)
        expect(priority === 'comfort' ? scale > 70 : scale < 70).toBe(true)
      }
    })
  })

  it('hold anticipatory medicines at the end of life and nowhere else, and only such as may be given', () => {
    forAnySeed((all) => {
      for (const [person, { sections }] of planned(all)) {
        const { patient } = person
        const last = said(sections.consent, 'register') === 'yes'
        expect([patient.nhsNumber, sections.medication !== undefined]).toEqual([
          patient.nhsNumber,
          last,
        ])
        if (last) {
          expect(said(sections.resuscitation, 'decision')).toBe('do-not-attempt')
          expect(['days', 'weeks', 'months']).toContain(said(sections.prognosis, 'prognosis'))
        }
        const rows = ['medication', 'sickle-cell'].flatMap((id) => [
          ...((said(sections[id], 'items') ?? []) as { medicine: string }[]),
          ...((said(sections[id], 'analgesia') ?? []) as { medicine: string }[]),
        ])
        const medicines = rows.map(({ medicine }) => medicine)
        expect(forbidden(person, medicines)).toEqual([])
        for (const { text } of patient.allergies)
          if (last) expect(said(sections.medication, 'allergies')).toContain(text)
      }
    })
  })

  it('agree with themselves: on capacity, attorneys, frailty, where somebody lives, and sickle cell', () => {
    forAnySeed((all) => {
      for (const [person, { sections }] of planned(all)) {
        const { kin, conditions, careHome } = person
        const capacity = said(sections['treatment-escalation'], 'has-capacity')
        const attorney = said(sections.legal, 'attorneys') as { name: string }[] | undefined
        const sharing = said(sections.consent, 'sharing')
        expect(capacity === 'lacks' ? sharing !== 'given' : sharing === 'given').toBe(true)
        if (sections.legal) {
          expect(said(sections.legal, 'lpa') === 'appointed').toBe(attorney !== undefined)
          if (capacity === 'lacks') expect(sharing).toBe(attorney ? 'attorney' : 'best-interests')
          expect(String(said(sections.contacts, 'attorney')).startsWith('None')).toBe(
            attorney === undefined,
          )
        }
        for (const { name } of attorney ?? []) expect(name).toBe(kin.name)
        expect(said(sections.contacts, 'next-of-kin')).toContain(kin.name)
        const frailty = String(said(sections['functional-status'], 'frailty') ?? '')
        if (frailty !== '' && conditions.includes('frail-severe'))
          expect(frailty >= 'cfs-7').toBe(true)
        if (frailty !== '' && conditions.includes('frail-moderate')) expect(frailty).toBe('cfs-6')
        const place = said(sections['thinking-ahead'], 'place')
        if (place !== undefined) expect(place === 'care-home').toBe(careHome !== undefined)
        const sickle = conditions.includes('sickle-ss') || conditions.includes('sickle-sc')
        expect(sections['sickle-cell'] !== undefined).toBe(sickle)
      }
    })
  })
})

describe('who wrote them', () => {
  const policies = createPolicies(FILES, { version: 1 })
  afterAll(() => policies.close())
  const { people } = parse(readFileSync('config/policies/tests/people.yaml', 'utf8')) as {
    people: Record<string, { roles: []; activities: string[]; organization_type: 'gp-practice' }>
  }
  const mayWrite = ({ rights }: Clinician, id: string): boolean => {
    const { roles, activities, organization_type } = people[rights] ?? people.nobody ?? never()
    const organization = { ...ORDINARY.user.organization, type: organization_type }
    const user = { ...ORDINARY.user, roles, activities, organization }
    return policies.decide(ask({ ...ORDINARY, user }, 'create', about(id))).effect === 'allow'
  }
  const never = (): never => {
    throw new Error('no such rights')
  }

  it('are people whom the shipped policies let write that section; the rest are the patients themselves', () => {
    const known = new Map<string, Clinician>(
      Object.values(CLINICIANS).map((each) => [each.by, each]),
    )
    const pairs = new Set<string>()
    forAnySeed((all) => {
      for (const [{ kin, patient }, { sections }] of planned(all))
        for (const [id, { earlier = [], ...newest }] of Object.entries(sections))
          for (const { by } of [...earlier, newest]) {
            const author = form.find((each) => each.id === id)?.author
            const own =
              author === 'person' && (by.includes(kin.name) || by.includes(patient.family))
            if (!own) pairs.add(`${by}\n${id}`)
          }
    })
    expect(pairs.size).toBeGreaterThan(40)
    for (const pair of pairs) {
      const [by = '', id = ''] = pair.split('\n')
      const clinician = known.get(by)
      expect([by, id, clinician !== undefined && mayWrite(clinician, id)]).toEqual([by, id, true])
    }
  })

  it('is who decided, with the number of their registration', () => {
    const known = new Map<string, Clinician>(
      Object.values(CLINICIANS).map((each) => [each.by, each]),
    )
    forAnySeed(({ plans }) => {
      for (const { sections } of plans)
        for (const { earlier = [], ...newest } of Object.values(sections))
          for (const { by, values } of [...earlier, newest])
            if (values['decided-by'] !== undefined)
              expect(values['decided-by']).toBe(known.get(by)?.signs)
    })
  })
})

describe('the record of all', () => {
  const app = express()
  const parts = { patients: everyone(), plans: population().plans, form, credential: 'key' }
  app.use('/record', createRecord({ ...parts, clock: () => NOW }))
  const get = (path: string) =>
    request(app).get(`/record${path}`).set('Authorization', 'Bearer key')

  it('tells of each whether there is a plan, and gives it to whoever asks by its EHR', async () => {
    const namespace = encodeURIComponent('https://fhir.nhs.uk/Id/nhs-number')
    const { patients, plans } = population()
    // Every seventh is all of them in the end: what differs is in the tests above.
    for (const { nhsNumber, fhirId, ehrId, plan } of patients.filter((_, at) => at % 7 === 0)) {
      const ehr = await get(
        `/openehr/v1/ehr?subject_id=${nhsNumber}&subject_namespace=${namespace}`,
      )
      expect([ehr.status, ehr.body.ehr_id?.value]).toEqual(ehrId ? [200, ehrId] : [404, undefined])
      const found = await get(`/fhir/CarePlan?patient=${fhirId}&status=active`)
      expect(found.body.total).toBe(plan ? 1 : 0)
      if (ehrId === undefined) continue
      const { rows } = (await get(`/openehr/v1/query/care-plan::sections?ehr_id=${ehrId}`)).body
      const sections = plans.find(({ patient }) => patient === nhsNumber)?.sections ?? {}
      expect(rows).toHaveLength(Object.keys(sections).length)
    }
  })
})
