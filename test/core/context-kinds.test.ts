import { describe, expect, it } from '@jest/globals'
import { contextKind, requireKinds, TAKEN } from '../../src/core/context-kinds.js'
import { contextMembers } from '../../src/core/grant.js'
import { tokenAnswer } from '../../src/core/token.js'
import { accessOf } from '../proxy/world.js'

const fits = (name: string): boolean => contextKind.safeParse({ name, type: 'json' }).success

describe('a kind of context of an app’s own', () => {
  it.each([
    '__form',
    '__Form2'.toLowerCase(),
    '__a_b',
    'https://app.example/x',
    'https://app.example/',
  ])('may be called %s', (name) => expect(fits(name)).toBe(true))

  it.each([
    ...[...TAKEN, 'form', '_form', '__', '__1', 'patient', 'access_token', `__${'a'.repeat(62)}`],
    ...[
      'http://app.example/x',
      'https://APP.example/x',
      'https://app.example/a/../b',
      'urn:x:y',
      '',
    ],
  ])('may not be called %s', (name) => expect(fits(name)).toBe(false))

  it('is called like no member that the gateway itself adds to a token answer', () => {
    const { grant } = accessOf()
    const signOn = { until: 1000 } as never
    const emergency = { id: 'emg_1', until: 1000 } as never
    const numberReplaced = true as const
    const whole = { ...grant, obligations: ['mark-sensitive'], numberReplaced, emergency }
    const own = Object.keys(tokenAnswer(whole, signOn, { access: 'x' }, 60, 60)).filter((name) =>
      name.startsWith('__'),
    )
    expect([...own, '__proto__'].sort()).toEqual([...TAKEN].sort())
  })

  it('never takes the place of a member of the launch', () => {
    const { context } = accessOf().grant
    const own = { patient: 'somebody-else', __x: 1 }
    expect(contextMembers({ ...context, own })).toEqual({ ...context, __x: 1 })
  })

  it('takes values up to its own length, in characters of their JSON', () => {
    const kinds = [contextKind.parse({ name: '__x', type: 'string', max: 5 })]
    expect(() => requireKinds({ __x: 'abc' }, kinds)).not.toThrow()
    expect(() => requireKinds({ __x: 'abcd' }, kinds)).toThrow('__x: longer than 5')
    expect(() => requireKinds(undefined, [])).not.toThrow()
  })
})
