/**
 * A system that seals with a secret that it shares with us (JWE `dir`): our public key, which anyone has, opens nothing.
 * The store has no part in it, so one is enough.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { CompactEncrypt } from 'jose'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { claimsOf, sealOf } from '../launching.js'
import { expectRefused } from '../trail-reading.js'
import { UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const NAME = 'LAUNCH_GATEWAY_SEAL'
const SECRET = randomBytes(32)
const ORDER = { system: 'gp-sealed' }

describe('a launch sealed with a shared secret (RFC 7518 §4.5)', () => {
  let t: TestGateway
  const holding = (seals: Readonly<Record<string, string>>) => ({
    secrets: { ...t.config.secrets, seals },
  })
  beforeAll(async () => {
    t = await openTestGateway({
      store: 'embedded',
      change: ({ systems, secrets }) => ({
        secrets: { ...secrets, seals: { [NAME]: SECRET.toString('base64url') } },
        systems: systems.map((system) =>
          system.id === 'gp-sealed' ? { ...system, sealSecret: NAME } : system,
        ),
      }),
    })
  }, 60_000)
  afterAll(() => t?.close())

  const shared = (secret: Uint8Array) =>
    new CompactEncrypt(new TextEncoder().encode(JSON.stringify(claimsOf(t, ORDER))))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(secret)
  const launch = (sealed: string) =>
    new UserAgent().visit(new URL('/launch/sealed', t.issuer), {
      form: { system: 'gp-sealed', sealed },
    })

  it('is opened, and its user signs in at the provider', async () => {
    const answer = await launch(await shared(SECRET))
    expect(answer.text).toContain('/sign-in/start')
  })

  it('is refused when it was sealed with another secret, or to our public key', async () => {
    await expectRefused(t, await launch(await shared(randomBytes(32))), 'seal_invalid', 400)
    await expectRefused(t, await launch(await sealOf(t, ORDER)), 'seal_invalid', 400)
  })

  it.each<[string, Readonly<Record<string, string>>]>([
    ['is missing', {}],
    ['is empty', { [NAME]: '' }],
  ])(
    'is refused when the secret %s: never opened with our public key instead',
    async (_, seals) => {
      await t.restart(holding(seals))
      await expectRefused(t, await launch(await sealOf(t, ORDER)), 'seal_invalid', 400)
      await expectRefused(t, await launch(await shared(SECRET)), 'seal_invalid', 400)
    },
  )
})
