import { describe, expect, it } from '@jest/globals'
import { authored } from '../../src/core/authorship.js'
import { accessOf, NOW } from '../proxy/world.js'

const SKEW = 30
const at = (milliseconds: number) => new Date(NOW + milliseconds).toISOString()
const sent = (more: object = {}) => ({
  _type: 'COMPOSITION',
  composer: { _type: 'PARTY_IDENTIFIED', name: 'Somebody Else' },
  context: {
    _type: 'EVENT_CONTEXT',
    start_time: { value: at(0) },
    setting: { value: 'other care' },
  },
  content: ['words'],
  ...more,
})
const written = (more: object = {}, access = accessOf()) =>
  authored(sent(more), access, NOW, SKEW) as {
    composer: unknown
    context?: { start_time: { _type: string; value: string } }
  }

describe('who wrote a section, and when (openEHR RM, COMPOSITION.composer, EVENT_CONTEXT.start_time)', () => {
  it('is the person of the token, whoever the client names', () => {
    const composer = {
      _type: 'PARTY_IDENTIFIED',
      name: 'Dr Stanisława "Stasia" Okafor',
      external_ref: {
        _type: 'PARTY_REF',
        id: {
          _type: 'GENERIC_ID',
          value: '555254239101',
          scheme: 'https://fhir.nhs.uk/Id/sds-user-id',
        },
        namespace: 'https://fhir.nhs.uk/Id/sds-user-id',
        type: 'PERSON',
      },
    }
    for (const said of [sent().composer, undefined, { _type: 'PARTY_SELF' }, 'Dr Who', null])
      expect(written({ composer: said }).composer).toEqual(composer)
  })

  it('is the local user where no national identity is known, and their id where no name is', () => {
    const { sdsUserId: _sds, name: _name, ...user } = accessOf().user
    expect(written({}, { ...accessOf(), user }).composer).toMatchObject({
      name: '555254239101',
      external_ref: { id: { value: '555254239101', scheme: 'local' }, namespace: 'local' },
    })
  })

  it('has a name that cannot mislead a reader', () => {
    const user = { ...accessOf().user, name: `Dr A\u202eB\n${'x'.repeat(300)}` }
    const { composer } = written({}, { ...accessOf(), user }) as { composer: { name: string } }
    expect(composer.name).toMatch(/^Dr ABx+$/)
    expect(composer.name).toHaveLength(200)
  })

  it.each([
    ['30 seconds ago', at(-30_000), at(-30_000)],
    ['in 30 seconds', at(30_000), at(30_000)],
    ['in another zone', '2026-11-23T13:00:00+01:00', '2026-11-23T13:00:00+01:00'],
    ['longer ago', at(-30_001), at(0)],
    ['later', at(30_001), at(0)],
    ['years ago', '1999-01-01T00:00:00Z', at(0)],
    ['a day without a time', '2026-11-23', at(0)],
    ['a time without its zone', '2026-11-23T12:00:00', at(0)],
    ['no time', 'yesterday', at(0)],
    ['a number', NOW, at(0)],
    ['nothing', undefined, at(0)],
  ])('was %s: kept within the clocks’ difference, else now', (_, said, kept) => {
    const { context } = written({ context: { ...sent().context, start_time: { value: said } } })
    expect(context).toEqual({
      _type: 'EVENT_CONTEXT',
      start_time: { _type: 'DV_DATE_TIME', value: kept },
      setting: { value: 'other care' },
    })
  })

  it('has no time where the composition is one without a context, and one where its time was left out', () => {
    const { context: _context, ...persistent } = sent()
    expect(authored(persistent, accessOf(), NOW, SKEW)).not.toHaveProperty('context')
    expect(written({ context: { _type: 'EVENT_CONTEXT' } }).context?.start_time.value).toBe(at(0))
  })

  it.each([[null], ['x'], [[]], [7]])(
    'refuses the context %j, whose time nobody can read',
    (context) => {
      expect(() => written({ context })).toThrow(
        expect.objectContaining({ code: 'body_unreadable' }) as unknown as Error,
      )
    },
  )

  it('changes nothing else', () => {
    expect(authored(sent(), accessOf(), NOW, SKEW)).toMatchObject({
      _type: 'COMPOSITION',
      content: ['words'],
    })
  })
})
