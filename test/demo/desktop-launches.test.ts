import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  compactDecrypt,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
} from 'jose'
import { readLaunch, verifyLaunch } from '../../src/core/launch-claims.js'
import type { LaunchSystem } from '../../src/core/launch-system.js'
import { readBirthDate, readNhsNumber } from '../../src/core/nhs-number.js'
import { REFUSALS, Refusal } from '../../src/core/refusal.js'
import { expectedOf, FAULTS, type FaultName, faultsOf } from '../../src/demo/desktop-faults.js'
import {
  buildAssertion,
  buildLaunchToken,
  buildSealedLaunch,
  type Launch,
  type LaunchingUser,
} from '../../src/demo/desktop-launches.js'
import {
  type DemoSystems,
  demoSystems,
  launchSystemRows,
  PORTRAITS,
  type SystemId,
} from '../../src/demo/desktop-systems.js'
import { PATIENTS } from '../../src/demo/patients.js'
import { openTrustedKeys } from '../../src/keys/trusted.js'
import { USERS } from './desktop-scene.js'

const GATEWAY = 'https://gateway.example'
const NOW = Date.UTC(2026, 2, 1, 12)
/** Every key of the demonstration stands in its registration. */
const get = () => Promise.reject(new Error('nothing is fetched'))
const trusted = openTrustedKeys({ clock: () => NOW, outbound: { get } })
let dataDir: string
let systems: DemoSystems
let rows: readonly LaunchSystem[]

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'launches-'))
  systems = await demoSystems(dataDir)
  rows = launchSystemRows(systems, 'http://desk.example')
})
afterAll(() => rm(dataDir, { recursive: true }))

const user = (id: string) => USERS.find((one) => one.id === id) as LaunchingUser
const patient = (nhsNumber: string) => PATIENTS.find((one) => one.nhsNumber === nhsNumber)
const rowOf = (id: SystemId) => rows.find((row) => row.id === id) as LaunchSystem

const publicKey = (id: SystemId) => {
  const { d: _, ...jwk } = systems[id].key
  return importJWK(jwk)
}

/** Counts up, so that every draw is another one and every run the same. */
function counting() {
  let drawn = 0
  return (bytes: number) => {
    drawn += 1
    return new Uint8Array(bytes).fill(drawn)
  }
}

const launch = (id: SystemId, more: Partial<Launch> = {}): Launch => ({
  system: {
    ...{ id, rung: PORTRAITS[id].rung, key: systems[id].key, claims: PORTRAITS[id].claims },
    otherKey: systems[id === 'gp-push' ? 'gp-post' : 'gp-push'].key,
  },
  ...{ user: user('gp'), patient: { nhsNumber: '9990000018', birthDate: '1938-03-14' } },
  ...{ app: 'care-plan', gateway: GATEWAY, clock: () => NOW, random: counting() },
  ...more,
})

/** As the gateway judges a token: by its own rules. Answers the code of the refusal, or `allowed`. */
async function judge(id: SystemId, token: string): Promise<string> {
  const system = rowOf(id)
  try {
    const check = { algorithms: system.algorithms, types: ['launch+jwt'] }
    const source = system.keys ?? { jwks: { keys: [] } }
    const claims = await trusted.verify(token, source, { ...check, code: 'signature_invalid' })
    const { iat = 0, exp = 0, jti = '', aud } = claims
    const proof = { id: 'lch_x', audience: aud, issuer: GATEWAY, iat, exp, jti } as const
    verifyLaunch(readLaunch(claims, system), system, proof, NOW, 30)
    return 'allowed'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

describe('the keys of the demonstration', () => {
  it('are made once, kept where only the owner may read them, and never handed to the gateway', async () => {
    const file = join(dataDir, 'demo-gp-systems.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await demoSystems(dataDir)).toEqual(systems)
    expect(await readFile(file, 'utf8')).toContain('"d":')
    expect(JSON.stringify(rows)).not.toContain('"d":')
  })

  it('are the same for two processes that start at once', async () => {
    const fresh = await mkdtemp(join(tmpdir(), 'launches-'))
    const [one, other] = await Promise.all([demoSystems(fresh), demoSystems(fresh)])
    expect(one).toEqual(other)
    await rm(fresh, { recursive: true })
  })
})

describe('a launch token of the demonstration', () => {
  it('is signed by its own system, addressed to the gateway, and lives a minute', async () => {
    const { token } = await buildLaunchToken(launch('gp-push'))
    const key = await publicKey('gp-push')
    const verified = await jwtVerify(token, key, {
      ...{ issuer: 'gp-push', audience: GATEWAY, typ: 'launch+jwt', algorithms: ['ES256'] },
      currentDate: new Date(NOW),
    })
    expect(verified.payload.exp).toBe((verified.payload.iat ?? 0) + 60)
    expect(verified.payload).toMatchObject({
      ...{ sub: 'gp', app: 'care-plan', purpose: 'direct-care' },
      patient: { nhs_number: '9990000018', birth_date: '1938-03-14' },
      practitioner: { sds_user_id: '555254239101', role_codes: ['S0010:G0020:R0260'] },
      organization: { ods_code: 'A83001' },
    })
    expect(await judge('gp-push', token)).toBe('allowed')
  })

  it('says the same under other names, which the registration alone explains', async () => {
    const { token, claims } = await buildLaunchToken(launch('gp-post'))
    expect(claims).toMatchObject({
      subject_nhs: '9990000018',
      requesting_practitioner: { id: 'gp', sds_user: '555254239101' },
      requesting_organization: { ods: 'A83001' },
    })
    for (const name of ['sub', 'patient', 'practitioner', 'organization', 'purpose'])
      expect(claims).not.toHaveProperty(name)
    const read = readLaunch(decodeJwt(token), rowOf('gp-post'))
    const same = readLaunch(
      decodeJwt((await buildLaunchToken(launch('gp-push'))).token),
      rowOf('gp-push'),
    )
    expect({ ...read, device: 0, system: 0 }).toEqual({ ...same, device: 0, system: 0 })
  })

  it('carries the birth date that the GP system itself holds', async () => {
    const held = patient('9990000069')
    const { draft } = await buildLaunchToken(launch('gp-push', { patient: held as never }))
    expect(draft.claims.patient.birth_date).toBe('1946-05-08')
  })

  it('names no role for a user who has none', async () => {
    const { draft } = await buildLaunchToken(launch('gp-push', { user: user('no-role') }))
    expect(draft.claims.practitioner).toMatchObject({ role_codes: [], activity_codes: [] })
    expect(draft.claims.practitioner).not.toHaveProperty('sds_role_profile_id')
  })

  it('is accepted for every user and every patient of the demonstration', async () => {
    for (const id of ['gp-push', 'gp-post'] as const) {
      for (const one of USERS) {
        const { token } = await buildLaunchToken(launch(id, { user: one }))
        expect([one.id, await judge(id, token)]).toEqual([one.id, 'allowed'])
      }
      for (const one of PATIENTS) {
        const { token } = await buildLaunchToken(launch(id, { patient: one }))
        expect([one.nhsNumber, await judge(id, token)]).toEqual([one.nhsNumber, 'allowed'])
      }
    }
  })

  it('comes with an assertion that proves the pushing server to the gateway alone', async () => {
    const assertion = await buildAssertion(launch('gp-push'))
    const { payload } = await jwtVerify(assertion, await publicKey('gp-push'), {
      ...{ issuer: 'gp-push', subject: 'gp-push', audience: GATEWAY },
      ...{ requiredClaims: ['jti', 'exp'], currentDate: new Date(NOW) },
    })
    expect((payload.exp ?? 0) * 1000 - NOW).toBe(60_000)
  })
})

describe('a sealed launch', () => {
  it('can be opened by the gateway alone, and names no birth date', async () => {
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
    const published: JWK = { ...(await exportJWK(pair.publicKey)), kid: 'seal-1', use: 'enc' }
    const { token } = await buildSealedLaunch(launch('gp-sealed'), published)
    const opened = await compactDecrypt(token, pair.privateKey)
    expect(opened.protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', kid: 'seal-1' })
    const claims = JSON.parse(new TextDecoder().decode(opened.plaintext))
    expect(claims).toMatchObject({ iss: 'gp-sealed', patient: { nhs_number: '9990000018' } })
    expect(claims.patient).not.toHaveProperty('birth_date')
    expect(readLaunch(claims, rowOf('gp-sealed')).user.sdsUserId).toBe('555254239101')
    const wrong = launch('gp-sealed', { fault: 'wrong-signature' })
    const { token: other } = await buildSealedLaunch(wrong, published)
    await expect(compactDecrypt(other, pair.privateKey)).rejects.toThrow()
  })
})

describe('the faults', () => {
  /** Judged by signature, claims and time; the rest needs the gateway itself. */
  const BY_TOKEN: readonly FaultName[] = [
    ...(['expired', 'future', 'too-long', 'wrong-user', 'wrong-signature', 'unknown-key'] as const),
    ...(['alg-none', 'misaddressed', 'unregistered-app', 'organization', 'check-digit'] as const),
  ]
  for (const fault of BY_TOKEN) {
    it(`make a launch that is refused as ${expectedOf(fault, 'signed')}: ${FAULTS[fault].title}`, async () => {
      for (const id of ['gp-push', 'gp-post'] as const) {
        const { token } = await buildLaunchToken(launch(id, { fault }))
        expect(await judge(id, token)).toBe(expectedOf(fault, 'signed'))
      }
    })
  }

  it('sign with the key of another system under the right name, or with a key that nobody knows', async () => {
    const wrong = await buildLaunchToken(launch('gp-push', { fault: 'wrong-signature' }))
    const other = await publicKey('gp-post')
    await expect(
      jwtVerify(wrong.token, other, { currentDate: new Date(NOW) }),
    ).resolves.toBeDefined()
    expect(wrong.header.kid).toBe(systems['gp-push'].key.kid)
    const unknown = await buildLaunchToken(launch('gp-push', { fault: 'unknown-key' }))
    expect(unknown.header.kid).not.toBe(systems['gp-push'].key.kid)
    const none = await buildLaunchToken(launch('gp-push', { fault: 'alg-none' }))
    expect(decodeProtectedHeader(none.token).alg).toBe('none')
  })

  it('name another birth date that exists, and a valid NHS number that nobody has', async () => {
    for (const one of PATIENTS) {
      const wrong = await buildLaunchToken(launch('gp-push', { patient: one, fault: 'birth-date' }))
      const { birth_date } = wrong.draft.claims.patient
      expect(readBirthDate(birth_date)).toBeDefined()
      expect([one.birthDate, one.gpBirthDate]).not.toContain(birth_date)
    }
    const lost = await buildLaunchToken(launch('gp-push', { fault: 'unknown-patient' }))
    const { nhs_number } = lost.draft.claims.patient
    expect(readNhsNumber(nhs_number)).toBe(nhs_number)
    expect(patient(nhs_number)).toBeUndefined()
  })

  it('expect only refusals that the gateway knows, and leave the draft that they start from alone', () => {
    for (const { expected } of Object.values(FAULTS)) {
      for (const code of Object.values(expected))
        expect([...Object.keys(REFUSALS), 'completes']).toContain(code)
    }
    expect(faultsOf('pushed')).toContain('opened-link')
    expect(faultsOf('sealed')).not.toContain('opened-link')
  })
})
