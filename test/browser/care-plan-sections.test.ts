import { describe, expect, it } from '@jest/globals'
import { composed, revised, unshown, valuesOf } from '../../public/care-plan/composition.js'
import type { Section } from '../../public/care-plan/definition.js'
import {
  type Content,
  ForeignPatient,
  findingOf,
  type Index,
  readEntries,
  readIndex,
} from '../../public/care-plan/finding.js'
import { changedFields, mergeOf } from '../../public/care-plan/merge.js'
import { rightsOf, sightOf } from '../../public/care-plan/rights.js'
import { checkComposition, compositionOf } from '../../src/demo/composition.js'
import { SECTIONS } from './scenario.js'

const sections = SECTIONS as unknown as readonly Section[]
const section = (id: string): Section => {
  const found = sections.find((one) => one.id === id)
  if (!found) throw new Error(id)
  return found
}

describe('what the granted scopes allow', () => {
  const granted =
    'launch patient/composition-care-plan::contacts.v1.ru patient/composition-care-plan::symptoms.v1.cr openid'

  it('is read section by section', () => {
    expect(rightsOf(granted, 'care-plan::contacts.v1')).toEqual({
      read: true,
      create: false,
      update: true,
    })
    expect(rightsOf(granted, 'care-plan::symptoms.v1')).toEqual({
      read: true,
      create: true,
      update: false,
    })
    expect(rightsOf(granted, 'care-plan::prognosis.v1')).toEqual({
      read: false,
      create: false,
      update: false,
    })
  })

  it('divides the plan into what is seen and what is hidden, in its own order', () => {
    const { seen, hidden } = sightOf(granted, sections)
    expect(seen.map(({ id }) => id)).toEqual(['symptoms', 'contacts'])
    expect(hidden).toHaveLength(8)
  })
})

describe('what may be said about a plan', () => {
  it('is "none" only when the search and the sections were both read and both were empty', () => {
    const indexes: Index[] = ['active', 'listed', 'none', 'unread']
    const contents: Content[] = ['found', 'empty', 'hidden', 'no-ehr', 'withheld', 'unread']
    const none = indexes.flatMap((index) =>
      contents
        .filter((content) => findingOf(index, content, 1) === 'none')
        .map((content) => [index, content]),
    )
    expect(none).toEqual([
      ['none', 'empty'],
      ['none', 'no-ehr'],
    ])
  })

  it('is "plan" without asking for the sections only when the role would see none of them', () => {
    expect(findingOf('active', 'withheld', 0)).toBe('plan')
    expect(findingOf('active', 'withheld', 1)).toBe('unknown')
    expect(findingOf('none', 'withheld', 0)).toBe('unknown')
  })

  const plan = (status: string | undefined, reference = 'Patient/pat-1') => ({
    resource: { resourceType: 'CarePlan', status, subject: { reference } },
  })
  const bundle = (...entry: unknown[]) => ({ resourceType: 'Bundle', entry })

  it('counts only active plans', () => {
    expect(readIndex(bundle(plan('completed'), plan('active')), 'pat-1')).toBe('active')
    expect(readIndex(bundle(plan('completed')), 'pat-1')).toBe('none')
    expect(readIndex(bundle(), 'pat-1')).toBe('none')
  })

  it.each(['draft', 'on-hold', 'unknown', 'paused', undefined])(
    'does not take a plan whose status is %s for none',
    (status) => {
      expect(readIndex(bundle(plan('completed'), plan(status)), 'pat-1')).toBe('listed')
    },
  )

  it.each(['completed', 'revoked', 'entered-in-error'])(
    'takes a plan that is %s for none',
    (status) => {
      expect(readIndex(bundle(plan(status)), 'pat-1')).toBe('none')
    },
  )

  it('does not take sections that the role may not see for none', () => {
    const columns = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ name }))
    expect(readEntries({ columns, rows: [], __withheld: true }, 'ehr-1').withheld).toBe(true)
    expect(readEntries({ columns, rows: [] }, 'ehr-1').withheld).toBe(false)
  })

  it('does not take a first page for the whole answer', () => {
    const page = { ...bundle(plan('completed')), link: [{ relation: 'next' }] }
    expect(readIndex(page, 'pat-1')).toBe('unread')
  })

  it('does not take an unreadable answer for an empty one', () => {
    expect(() => readIndex({ resourceType: 'OperationOutcome' }, 'pat-1')).toThrow(TypeError)
    expect(() => readEntries({ rows: [] }, 'ehr-1')).toThrow(TypeError)
  })

  it('stops at a plan, or a section, of another patient', () => {
    expect(() => readIndex(bundle(plan('active', 'Patient/pat-2')), 'pat-1')).toThrow(
      ForeignPatient,
    )
    const columns = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ name }))
    const rows = [['t', 'o::s::1', { _type: 'COMPOSITION' }, 'ehr-2']]
    expect(() => readEntries({ columns, rows }, 'ehr-1')).toThrow(ForeignPatient)
  })
})

describe('a section in its composition', () => {
  const at = new Date('2026-11-23T10:00:00Z')
  const author = { name: 'Dr Amara Okafor', at }
  const cpr = section('resuscitation')
  const values = { decision: 'do-not-attempt', reason: 'Frailty', decided: '2026-03-12' }
  const stored = () =>
    compositionOf(SECTIONS[0] as never, values, 'Dr Marsh', '2026-03-12T14:10:00Z') as never

  it('is read as it was written', () => {
    expect(valuesOf(cpr, stored())).toMatchObject({ ...values, review: '' })
  })

  it('keeps everything that was not changed, and names its new author', () => {
    const before = stored()
    const next = { ...valuesOf(cpr, before), decision: 'attempt', review: '2027-01-01', reason: '' }
    const after = revised(
      cpr,
      before,
      next,
      changedFields(cpr, valuesOf(cpr, before), next),
      author,
    )
    expect(valuesOf(cpr, after)).toEqual({ ...valuesOf(cpr, before), ...next })
    expect(after.composer).toEqual({ _type: 'PARTY_IDENTIFIED', name: 'Dr Amara Okafor' })
    expect(after.context?.start_time?.value).toBe(at.toISOString())
    expect(checkComposition(after, SECTIONS as never)).toEqual({ template: cpr.template })
  })

  it('leaves values alone that the form does not know, and counts them for the reader', () => {
    const before = JSON.parse(JSON.stringify(stored()).replaceAll('at0003', 'at0099'))
    const next = { ...valuesOf(cpr, before), decision: 'attempt' }
    const after = revised(cpr, before, next, ['decision'], author)
    expect(JSON.stringify(after)).toContain('Frailty')
    expect(unshown(cpr, after)).toBe(1)
  })

  it.each(sections.map((one) => [one.id, one] as const))(
    'begins %s as the record accepts it',
    (_, one) => {
      const filled = Object.fromEntries(
        one.fields.map((field) => [
          field.id,
          field.type === 'date'
            ? '2026-11-23'
            : field.type === 'choice'
              ? (Object.keys(field.options ?? {})[0] ?? '')
              : 'x',
        ]),
      )
      const made = composed(one, filled, author)
      expect(checkComposition(made, SECTIONS as never)).toEqual({ template: one.template })
      expect(valuesOf(one, made)).toEqual(filled)
    },
  )
})

describe('two people who changed one section', () => {
  it('are told apart field by field', () => {
    const contacts = section('contacts')
    const base = { 'next-of-kin': 'a', attorney: 'b', professionals: 'c' }
    const theirs = { 'next-of-kin': 'A', attorney: 'B', professionals: 'c' }
    const yours = { 'next-of-kin': 'a', attorney: 'X', professionals: 'C' }
    const changed = mergeOf(contacts, base, theirs, yours).map((one) => one.changed)
    expect(changed).toEqual(['theirs', 'both', 'yours'])
    expect(mergeOf(contacts, base, theirs, theirs).map((one) => one.changed)).toEqual([
      'same',
      'same',
      'same',
    ])
  })
})
