import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  familyOf,
  hashOf,
  isSecret,
  launchOfSecret,
  launchTime,
  newLaunchId,
  newLaunchSecret,
  newRefreshToken,
  refreshTokenAfter,
} from '../../src/core/ids.js'
import { matchesChallenge } from '../../src/core/pkce.js'
import { matchesPattern, readScope, readScopes, writeScope } from '../../src/core/scope.js'

const random = (bytes: number) => randomBytes(bytes)
const NOW = Date.UTC(2026, 10, 23)

describe('launch ids and secrets', () => {
  const launch = newLaunchId(NOW, random)

  it('tell when the launch arrived', () => {
    expect(launchTime(launch)).toBe(NOW)
    expect(launchTime('lch_nonsense')).toBeUndefined()
  })

  it('name their launch, and only as what they are', () => {
    const code = newLaunchSecret('cod', launch, random)
    expect(launchOfSecret('cod', code)).toBe(launch)
    expect(launchOfSecret('hdl', code)).toBeUndefined()
    expect(launchOfSecret('cod', `${code}x`)).toBeUndefined()
    expect(launchOfSecret('cod', `${code}\n`)).toBeUndefined()
  })

  it('are recognised by their hash alone', () => {
    const handle = newLaunchSecret('hdl', launch, random)
    expect(isSecret(handle, hashOf(handle))).toBe(true)
    expect(isSecret(handle, hashOf(`${handle} `))).toBe(false)
    expect(isSecret(handle, '')).toBe(false)
  })

  it('of refreshing share a half by which a replaced one is still known', () => {
    const first = newRefreshToken(launch, random)
    const second = refreshTokenAfter(first, 'a'.repeat(43))
    expect(launchOfSecret('rft', second)).toBe(launch)
    expect(second).not.toBe(first)
    expect(familyOf(second)).toBe(familyOf(first))
  })
})

describe('PKCE (RFC 7636 appendix B)', () => {
  const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
  it('knows the verifier of the RFC, and no other', () => {
    expect(matchesChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', challenge)).toBe(true)
    expect(matchesChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXj', challenge)).toBe(false)
    expect(matchesChallenge('', challenge)).toBe(false)
  })
})

describe('scopes', () => {
  it.each([
    'launch',
    'patient/Observation.rs',
    'patient/*.cruds',
    'patient/Observation.rs?category=laboratory',
    'patient/Patient.read',
    'patient/*.*',
    'patient/composition-care-plan::*.crus',
    'patient/aql-care-plan::sections.rs',
  ])('reads and writes %s as it was', (text) => {
    const scope = readScope(text)
    expect(scope && writeScope(scope)).toBe(text)
  })

  it.each([
    'patient/Observation.sr',
    'patient/Observation.',
    'patient/observation.r',
    'patient/Observation.rx',
    'everyone/Observation.r',
    'pat\u0131ent/Patient.r',
  ])('does not guess what %s means', (text) => expect(readScope(text)).toBeUndefined())

  it('reads each scope once and survives anything', () => {
    expect(readScopes('launch launch  openid')).toHaveLength(2)
    fc.assert(fc.property(fc.string({ maxLength: 400 }), (text) => readScopes(text).length <= 100))
  })

  it('matches a pattern by its literal parts only', () => {
    expect(matchesPattern('care-plan::*', 'care-plan::contacts.v1')).toBe(true)
    expect(matchesPattern('*::a.v1', 'x::a.v1')).toBe(true)
    expect(matchesPattern('care-plan::contacts.v1', 'care-plan::contactsxv1')).toBe(false)
    expect(matchesPattern('a*a', 'a')).toBe(false)
  })
})
