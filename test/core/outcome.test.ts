import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Access } from '../../src/core/access.js'
import type { KnownUser, OdsCode } from '../../src/core/context.js'
import {
  bounded,
  type Change,
  changeOf,
  doneChange,
  MOST_ACTS,
  MOST_HELD,
  type Outcome,
  roomAt,
  type Writing,
  type Written,
} from '../../src/core/outcome.js'
import { INCOMPLETE, outcomeBundle, UNCERTAIN } from '../../src/core/outcome-bundle.js'
import { thingsOf, toldBy } from '../../src/core/outcome-told.js'
import { groupText } from '../../src/core/plan-values.js'
import { sectionDiv, sectionText } from '../../src/core/section-text.js'
import { compositionOf } from '../../src/demo/composition.js'
import { openPlan } from '../../src/policy/plan-files.js'

const PLAN = openPlan('config/plan/sections.yaml').sections
const sectionOf = (id: string) => {
  const found = PLAN.find((section) => section.id === id)
  if (!found) throw new Error(`no section ${id}`)
  return found
}
const CPR = sectionOf('resuscitation')
const MATTERS = sectionOf('what-matters')
const NOW = Date.parse('2026-11-26T09:00:00Z')
const ISSUER = 'https://gateway.example'

const OUTCOME: Outcome = {
  ...{ system: 'gp-push', app: 'care-plan', organization: 'A83001' as OdsCode },
  ...{ purpose: 'direct-care', signOn: 'sgn_1', until: NOW + 1000 },
  patient: { fhirId: 'p1', nhsNumber: '9990000018', sensitive: false },
}
const SENSITIVE = { ...OUTCOME, patient: { ...OUTCOME.patient, sensitive: true } }

function accessBy(odsCode = 'A83001', patient = 'p1', sensitive = false): Access {
  const user = {
    ...{ localId: 'gp', name: 'Dr Amara Okafor', sdsUserId: '555254239101', roles: ['gp'] },
    organization: { odsCode, name: 'Fernbank Surgery' },
  } as unknown as KnownUser
  const circumstances = { patient: { sensitive } }
  const grant = { subject: '555254239101', context: { patient }, circumstances }
  return { user, grant } as unknown as Access
}
const begun = (writing: Writing, outcome = OUTCOME, access = accessBy(), at = NOW): Change =>
  changeOf(outcome, access, writing, PLAN, at)
const update: Writing = {
  does: 'update',
  what: { template: MATTERS.template },
  previous: 'a::s::1',
}
const written = (about: string): Written => ({
  version: 'a::s::2',
  content: compositionOf(MATTERS, { about }, 'x', '2026-11-26T09:00:00Z'),
})
const done = (change: Change, what: Written, outcome = OUTCOME) =>
  doneChange(outcome, change, what, PLAN)
const told = (changes: readonly Change[], more = false) =>
  outcomeBundle({ launch: 'lch_1', outcome: OUTCOME, changes, more, at: NOW, issuer: ISSUER })

type Entry = { readonly fullUrl: string; readonly resource: Record<string, unknown> }
const entriesIn = (bundle: ReturnType<typeof told>) => bundle.entry as readonly Entry[]
const of = (bundle: ReturnType<typeof told>, type: string) =>
  entriesIn(bundle).flatMap(({ resource }) => (resource.resourceType === type ? [resource] : []))

describe('the text of a section', () => {
  it('says what each field holds, as a person reads it, rows and all', () => {
    const [involved] = CPR.fields.filter(({ id }) => id === 'involved')
    if (!involved) throw new Error('no field')
    const values = {
      ...{ decision: 'do-not-attempt', reason: 'One.\nTwo.', decided: '2026-09-03' },
      involved: groupText(involved, [{ name: 'Janet', part: 'present' }, { name: 'Ngozi' }]),
    }
    const text = sectionText(CPR, compositionOf(CPR, values, 'x', '2026-11-26T09:00:00Z'))
    expect(text.others).toBe(0)
    expect(text.lines).toEqual([
      { title: 'Decision', texts: ['Do not attempt CPR (DNACPR)'] },
      { title: 'Reason for the decision', texts: ['One.', 'Two.'] },
      { title: 'Date of decision', texts: ['2026-09-03'] },
      {
        ...{ title: 'Person involved', texts: [] },
        rows: [
          [
            { title: 'Name', texts: ['Janet'] },
            { title: 'Part in the decision', texts: ['Took part in the discussion'] },
          ],
          [{ title: 'Name', texts: ['Ngozi'] }],
        ],
      },
    ])
    expect(sectionDiv(text)).toContain('<dd>One.<br/>Two.</dd>')
  })

  it('counts what it cannot tell, and guesses nothing', () => {
    const whole = compositionOf(CPR, { decision: 'attempt', form: 'In the hall' }, 'x', 'now')
    const [entry] = whole.content
    const items = entry?.data.items ?? []
    const twice = { ...whole, content: [{ ...entry, data: { items: [...items, ...items] } }] }
    // Two decisions are none; two texts are two.
    expect(sectionText(CPR, twice)).toEqual({
      lines: [{ title: 'Where the signed form is kept', texts: ['In the hall', 'In the hall'] }],
      others: 2,
    })
    const entries = { ...whole, content: [entry, entry] }
    expect(sectionText(CPR, entries)).toEqual({ lines: [], others: 4 })
    const foreign = { _type: 'CLUSTER', archetype_node_id: 'openEHR-EHR-CLUSTER.x.v1', items }
    const nested = { ...whole, content: [{ ...entry, data: { items: [foreign] } }] }
    expect(sectionText(CPR, nested)).toEqual({ lines: [], others: 2 })
    expect(sectionText(CPR, undefined)).toEqual({ lines: [], others: 0 })
  })

  it('is XHTML that holds no markup of anybody else’s, whatever was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (about) => {
        const composition = compositionOf(MATTERS, { about }, 'x', 'now')
        const div = sectionDiv(sectionText(MATTERS, composition))
        const bare = div
          .replace(/^<div xmlns="http:\/\/www.w3.org\/1999\/xhtml">(.*)<\/div>$/s, '$1')
          .replace(/<\/?(?:dl|dt|dd|p)>|<br\/>/g, '')
        expect(bare).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot);)|[^\P{Cc}]/u)
      }),
      { numRuns: 300 },
    )
  })
})

describe('what is kept to be told', () => {
  // biome-ignore format: a table
  it.each<[string, Outcome, string, Written, string | undefined]>([
    ['as it was written',                      OUTCOME,   'A83001', written('x'),                                            undefined],
    ['of a sensitive patient',                 SENSITIVE, 'A83001', written('x'),                                            'patient'],
    ['for another organisation',               OUTCOME,   'RYX01',  written('x'),                                            'organization'],
    ['that its writer may not read',           OUTCOME,   'A83001', { version: 'a::s::2' },                                  'reader'],
    ['too long for anybody to file',           OUTCOME,   'A83001', written('word '.repeat(2000).concat('\n').repeat(40)),   'size'],
  ])('%s', (_what, outcome, organization, what, withheld) => {
    const { done: result } = done(begun(update, outcome, accessBy(organization)), what, outcome)
    if (withheld === undefined) expect(result?.held).toHaveProperty('text')
    else expect(result?.held).toEqual({ withheld })
  })

  it('holds no resource with a security label', () => {
    const flag = begun({ does: 'create', what: { type: 'Flag' } })
    const content = { resourceType: 'Flag', id: 'f1', meta: { security: [{ code: 'R' }] } }
    expect(done(flag, { id: 'f1', content }).done?.held).toEqual({ withheld: 'label' })
    const plain = { ...content, meta: {} }
    expect(done(flag, { id: 'f1', content: plain }).done?.held).toEqual({ resource: plain })
  })

  it('is withheld once the record says that the patient is sensitive, though the launch did not know', () => {
    const later = accessBy('A83001', 'p1', true)
    const [before, now] = [
      done(begun(update), written('before')),
      done(begun(update, OUTCOME, later), written('now')),
    ]
    expect(now.done?.held).toEqual({ withheld: 'patient' })
    const all = [before, now, begun(update)]
    expect(toldBy('text', all).map(({ done: each }) => each?.held)).toEqual([
      { withheld: 'patient' },
      { withheld: 'patient' },
      undefined,
    ])
  })

  it('is of a whole launch no more than may leave at once, whoever writes how often', () => {
    const rooms = Array.from({ length: MOST_ACTS }, (_, place) => roomAt(place))
    const sum = (of: 'bytes' | 'changes') => rooms.reduce((all, room) => all + room[of], 0)
    expect(sum('bytes')).toBeLessThanOrEqual(MOST_HELD.outcome)
    expect(sum('changes')).toBeLessThan(1_200)
    // A launch's first writes are kept whole: a transaction of fifty, a long section.
    expect([roomAt(0), roomAt(3)]).toEqual([rooms[0], rooms[0]])
    expect([rooms[0]?.changes, (rooms[0]?.bytes ?? 0) >= MOST_HELD.each]).toEqual([50, true])
    expect(roomAt(4).bytes).toBeLessThan(rooms[0]?.bytes ?? 0)
  })

  it('is measured as it leaves: in bytes, with what has to be escaped', () => {
    const signs = (sign: string, length: number) =>
      written(`${sign.repeat(9_000)}\n`.repeat(Math.ceil(length / 9_000)).slice(0, length))
    const heldOf = (what: Written) => done(begun(update), what).done?.held
    expect(heldOf(signs('x', 60_000))).toHaveProperty('text')
    for (const sign of ['&', 'ß']) expect(heldOf(signs(sign, 60_000))).toEqual({ withheld: 'size' })
    const all = ['a', 'b'].map((about) => done(begun(update), written(about.repeat(60))))
    const one = Buffer.byteLength(JSON.stringify(all[0]?.done?.held)) + 100
    expect(bounded(all, one).map(({ done: each }) => each?.held)).toEqual([
      all[0]?.done?.held,
      { withheld: 'size' },
    ])
  })

  it('is never of another patient', () => {
    expect(() => begun(update, OUTCOME, accessBy('A83001', 'p2'))).toThrow('another patient')
  })

  it('says no more than its system’s registration lets it', () => {
    const change = done(begun(update), written('x'))
    expect(toldBy('text', [change])).toEqual([change])
    expect(toldBy('changes', [change])[0]?.done?.held).toEqual({ withheld: 'registration' })
  })
})

describe('the Bundle', () => {
  const first = done(begun(update), written('first'))
  const last = done(begun({ ...update, previous: 'a::s::2' }, OUTCOME, accessBy(), NOW + 1), {
    ...written('last'),
    version: 'a::s::3',
  })
  const doubtful = begun({ ...update, previous: 'a::s::3' }, OUTCOME, accessBy(), NOW + 2)
  const gone = done(begun({ ...update, does: 'delete' }, OUTCOME, accessBy(), NOW + 3), {})

  it('is the same of the same facts, whatever order they are found in', () => {
    expect(JSON.stringify(told([last, first]))).toBe(JSON.stringify(told([last, first])))
    expect(of(told([last, first]), 'Composition')).toEqual(of(told([first, last]), 'Composition'))
  })

  it('gives what stands after the last write, and a Provenance for each', () => {
    const bundle = told([first, last])
    const [one, ...others] = of(bundle, 'Composition')
    expect(JSON.stringify(one)).toContain('last')
    expect(JSON.stringify(bundle)).not.toContain('first')
    expect(others).toEqual([])
    expect(of(bundle, 'Provenance').map(({ activity }) => activity)).toHaveLength(2)
  })

  it('goes by versions, not by the clocks of two nodes, in what stands last', () => {
    const slow = { ...last, at: NOW - 2 }
    const bundle = told([first, slow])
    expect(JSON.stringify(of(bundle, 'Composition'))).toContain('last')
    expect(JSON.stringify(of(bundle, 'List'))).not.toContain('Not known')
    // A write that followed what stands, and of which nobody knows, came after it by whatever clock.
    const doubted = told([first, last, { ...doubtful, at: NOW - 2 }])
    expect(JSON.stringify(of(doubted, 'List'))).toContain('Not known whether it was saved')
  })

  it('tells a write of which nobody knows by a mark that no reader may overlook', () => {
    const bundle = told([first, doubtful])
    const marks = of(bundle, 'Provenance').map(({ modifierExtension }) => modifierExtension)
    expect(marks).toEqual([undefined, [{ url: UNCERTAIN, valueBoolean: true }]])
    const alone = told([doubtful])
    expect(of(alone, 'Composition')).toEqual([])
    const [list] = of(alone, 'List')
    expect(list).not.toHaveProperty('emptyReason')
    expect(JSON.stringify(list)).toContain('Not known whether it was saved')
  })

  it('tells that something is gone, unless it may have been written again', () => {
    const listed = (changes: readonly Change[]) =>
      (of(told(changes), 'List') as { entry: readonly unknown[] }[])[0]?.entry[0]
    expect(of(told([first, gone]), 'Composition')).toEqual([])
    expect(listed([first, gone])).toMatchObject({ deleted: true, flag: { text: 'Deleted' } })
    const again = { ...doubtful, at: NOW + 4 }
    expect(listed([gone, again])).not.toHaveProperty('deleted')
  })

  it('says of nothing that it is nothing, and of too much that there was more', () => {
    expect(of(told([]), 'List')[0]).toMatchObject({ emptyReason: {} })
    const more = of(told([], true), 'List')[0]
    expect(more).not.toHaveProperty('emptyReason')
    expect(more).toMatchObject({ modifierExtension: [{ url: INCOMPLETE }], note: [{}] })
  })

  it('is of one patient, names each resource once, and refers to nothing in it that is not there', () => {
    const kinds = fc.constantFrom<Writing['does']>('create', 'update', 'delete')
    const things = fc.constantFrom<Writing['what']>(
      { template: CPR.template },
      { template: MATTERS.template },
      { type: 'Flag', id: 'f1' },
      { type: 'Flag' },
    )
    const one = fc.record({ does: kinds, what: things, at: fc.nat(5), is: fc.boolean() })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), (all) => {
        const changes = all.map(({ does, what, at, is }, i) => {
          const change = begun({ does, what }, OUTCOME, accessBy(), NOW + at)
          const content =
            'type' in what ? { resourceType: 'Flag', id: `n${i}` } : written(`word ${i}`).content
          return is ? done(change, { id: `n${i}`, version: `v${i}`, content }) : change
        })
        const bundle = told(changes)
        const urls = entriesIn(bundle).map(({ fullUrl }) => fullUrl)
        expect(new Set(urls).size).toBe(urls.length)
        expect(of(bundle, 'Provenance')).toHaveLength(changes.length)
        const refs = [...JSON.stringify(bundle).matchAll(/"reference":"(urn:uuid:[^"]+)"/g)]
        for (const [, ref] of refs) expect(urls).toContain(ref)
        const unknown = changes.filter((change) => !change.done).length
        expect(JSON.stringify(bundle).split(UNCERTAIN).length - 1).toBe(unknown)
        expect(thingsOf(changes).every(({ changes: some }) => some.length > 0)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('is bounded, whatever was written', () => {
    const long = written(`${'x'.repeat(90_000 / 10)}\n`.repeat(10))
    const changes = PLAN.flatMap(({ template }) =>
      [...Array(7).keys()].map((i) =>
        done(begun({ does: 'create', what: { type: 'Flag', id: `${template}${i}` } }), {
          content: { resourceType: 'Flag', id: `${i}`, text: JSON.stringify(long) },
        }),
      ),
    )
    expect(JSON.stringify(told(changes)).length).toBeLessThan(6_000_000)
  })
})
