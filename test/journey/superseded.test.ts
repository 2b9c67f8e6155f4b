import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Happening } from '../../src/core/audit.js'
import type { LaunchId } from '../../src/core/ids.js'
import { endOf } from '../../src/core/records.js'
import {
  type EncryptionKey,
  type EncryptionKeys,
  encryptionKey,
} from '../../src/keys/encryption.js'
import { createUnsaved } from '../../src/session/unsaved.js'
import { App, call, launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { linkOf, open, PEGGY } from '../launching.js'
import { entriesOf, expectRefused } from '../trail-reading.js'
import { UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

/** Another patient who has an EHR. */
const ARTHUR = '9990000085'

describe.each(STORES)('two care plans in one browser, on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    const rule = { 'gp-post': 'always', 'gp-ward': 'never' } as const
    t = await openTestGateway({
      store,
      change: ({ systems }) => ({
        systems: systems.map((system) => ({
          ...system,
          supersede: rule[system.id as keyof typeof rule] ?? 'other-patient',
        })),
      }),
    })
  }, 60_000)
  afterAll(() => t?.close())

  /** A write that goes as far as its body: what is judged before that has let it in. */
  const writes = (tokens: Tokens, context: unknown = tokens.__context, path = '') =>
    call(t, tokens.access_token, `${path}/openehr/v1/ehr/${tokens.ehrId}/composition`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', 'launch-context': String(context) },
    })
  const isOpen = async (tokens: Tokens): Promise<boolean> => {
    const { status } = await writes(tokens)
    expect([400, 409]).toContain(status)
    return status === 400
  }

  it('each write says in which of them it was made', async () => {
    const { tokens, browser } = await launchTo(t, { system: 'gp-ward' })
    const other = await launchTo(t, { system: 'gp-ward', patient: ARTHUR }, browser)
    expect(tokens.__context).toBe(tokens.__launch.replace('lch_', 'ctx_'))
    await expectRefused(t, await writes(tokens, other.tokens.__context), 'context_other', 409)
    // Its rule is never: both live.
    expect([await isOpen(tokens), await isOpen(other.tokens)]).toEqual([true, true])
  })

  it('another patient’s closes the first to writing, on every node, and not to reading', async () => {
    const first = await launchTo(t, { system: 'gp-push' })
    await t.clock.advance(1)
    const same = await launchTo(t, { system: 'gp-push' }, first.browser)
    expect(await isOpen(first.tokens)).toBe(true)
    await t.clock.advance(1)
    const second = await launchTo(t, { system: 'gp-push', patient: ARTHUR }, first.browser)
    await expectRefused(t, await writes(first.tokens), 'context_superseded', 409)
    expect([await isOpen(same.tokens), await isOpen(second.tokens)]).toEqual([false, true])
    expect(await readsPatient(t, first.tokens)).toBe(200)

    const { port } = await t.secondNode()
    const there = await writes(first.tokens, first.tokens.__context, `http://127.0.0.1:${port}`)
    expect([there.status, JSON.parse(there.text).error]).toEqual([409, 'context_superseded'])

    const opened = await entriesOf(t, { launch: second.tokens.__launch })
    expect(opened.find(({ what }) => what === 'session_opened')?.detail).toMatchObject({
      supersedes: same.tokens.__launch,
    })
  })

  it('any later one does, where the system says always', async () => {
    const first = await launchTo(t, { system: 'gp-post' })
    expect(await isOpen(first.tokens)).toBe(true)
    await t.clock.advance(1)
    await launchTo(t, { system: 'gp-post' }, first.browser)
    expect(await isOpen(first.tokens)).toBe(false)
  })

  it('only in the same browser', async () => {
    const first = await launchTo(t, { system: 'gp-push' })
    await t.clock.advance(1)
    await launchTo(t, { system: 'gp-push', patient: ARTHUR })
    expect(await isOpen(first.tokens)).toBe(true)
  })

  it('not by a launch that comes to nothing', async () => {
    const first = await launchTo(t, { system: 'gp-push' })
    await t.clock.advance(1)
    const link = await linkOf(t, { system: 'gp-push', patient: ARTHUR })
    const elsewhere = new UserAgent()
    await elsewhere.visit(link)
    await expectRefused(t, await first.browser.visit(link), 'launch_replayed', 400)
    expect(await isOpen(first.tokens)).toBe(true)
    await t.clock.advance(1)
    // A replayed launch neither.
    const landed = await open(t, first.browser, { system: 'gp-push', patient: PEGGY })
    expect((await new App(t, first.browser).tokens(landed)).patient).toBe(first.tokens.patient)
    expect(await isOpen(first.tokens)).toBe(true)
  })

  describe('what was typed and not saved', () => {
    const TEMPLATE = 'care-plan::what-matters.v1'
    const WORDS = 'Wants to be at home with the dog'
    const TYPED = { values: { note: WORDS }, typed: '2026-11-26T10:42:00Z' }
    const path = ({ ehrId }: Tokens, template = TEMPLATE) =>
      `/openehr/v1/ehr/${ehrId}/unsaved/${template}`
    const ask = (tokens: Tokens, method = 'GET', body?: object, node = '') =>
      call(t, tokens.access_token, `${node}${path(tokens)}`, {
        ...{ method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
        headers: { 'content-type': 'application/json', 'launch-context': String(tokens.__context) },
      })
    const given = async (tokens: Tokens, node = '') => {
      const { status, text } = await ask(tokens, 'GET', undefined, node)
      return status === 200 ? JSON.parse(text).values.note : status
    }

    it('is given back on any machine and node, also after the sign-on that kept it', async () => {
      const first = await launchTo(t, { system: 'gp-ward' })
      expect((await ask(first.tokens, 'PUT', TYPED)).status).toBe(200)
      await t.clock.advance(13 * 3600)
      expect((await ask(first.tokens)).status).toBe(401)
      const later = await launchTo(t, { system: 'gp-post' })
      const { port } = await t.secondNode()
      expect(await given(later.tokens, `http://127.0.0.1:${port}`)).toBe(WORDS)
      const detail = { interaction: 'unsaved_read', keptIn: first.tokens.__launch }
      const entries = await entriesOf(t, { launch: later.tokens.__launch })
      expect(entries.at(-1)).toMatchObject({ what: 'access_allowed', detail })
      expect((await ask(later.tokens, 'DELETE')).status).toBe(204)
      expect(await given(later.tokens)).toBe(404)
    })

    it('is nobody else’s: not a colleague’s, not another patient’s; and gone after a day', async () => {
      const { tokens, browser } = await launchTo(t, { system: 'gp-ward' })
      expect((await ask(tokens, 'PUT', TYPED)).status).toBe(200)
      const other = await launchTo(t, { system: 'gp-ward', patient: ARTHUR }, browser)
      expect(await given(other.tokens)).toBe(404)
      const nurse = await launchTo(t, { system: 'gp-ward', user: 'practice-nurse' }, browser)
      expect(await given(nurse.tokens)).toBe(404)
      await t.clock.advance(86_399)
      expect(await given((await launchTo(t, { system: 'gp-ward' })).tokens)).toBe(WORDS)
      await t.clock.advance(1)
      expect(await given((await launchTo(t, { system: 'gp-ward' })).tokens)).toBe(404)
    })

    it('is kept no more where the chart has gone on, and given back when it returns', async () => {
      const first = await launchTo(t, { system: 'gp-push' })
      expect((await ask(first.tokens, 'PUT', TYPED)).status).toBe(200)
      await t.clock.advance(1)
      await launchTo(t, { system: 'gp-push', patient: ARTHUR }, first.browser)
      const late = await ask(first.tokens, 'PUT', { ...TYPED, values: {} })
      await expectRefused(t, late, 'context_superseded', 409)
      await expectRefused(t, await ask(first.tokens, 'DELETE'), 'context_superseded', 409)
      await t.clock.advance(1)
      const back = await launchTo(t, { system: 'gp-push' }, first.browser)
      expect(await given(back.tokens)).toBe(WORDS)
      expect((await ask(back.tokens, 'DELETE')).status).toBe(204)
    })

    it('opens under the key before the present one, and under no other', async () => {
      const [old, present, foreign] = [1, 2, 3].map((n) =>
        encryptionKey(new Uint8Array(32).map((_, i) => i * n)),
      ) as [EncryptionKey, EncryptionKey, EncryptionKey]
      const { store: kept, trail } = t.running
      const under = (encryption: EncryptionKeys) =>
        createUnsaved({ store: kept, trail, clock: t.clock, encryption })
      const owner = { id: 'owner-of-one', person: 'person-of-one' }
      const launch = 'lch_old' as LaunchId
      const entry: Happening = { what: 'access_allowed', outcome: 'success', launch }
      const typed = { ...TYPED, adopted: [] }
      await under({ current: old }).keep(owner, launch, typed, undefined, entry)
      const stored = JSON.stringify(await kept.get('unsaved', owner.id))
      expect(stored).not.toContain(WORDS)
      const found = await under({ current: present, previous: old }).read(owner)
      expect(found?.typed).toEqual(typed)
      await expect(under({ current: present, previous: foreign }).read(owner)).rejects.toThrow()
      await expect(under({ current: present }).read(owner)).rejects.toThrow()
    })
  })

  it('and one that has ended writes and reads nothing more, at once, on every node', async () => {
    const { tokens } = await launchTo(t, { system: 'gp-push' })
    const { port } = await t.secondNode()
    const there = `http://127.0.0.1:${port}`
    expect((await writes(tokens, tokens.__context, there)).status).toBe(400)
    const end = { kind: 'ended' as const, id: endOf('launch', tokens.__launch) }
    const until = t.clock() + 86_400_000
    await t.running.store.commit({ puts: [{ ...end, value: { at: t.clock() }, until }] })
    for (const node of ['', there])
      expect((await writes(tokens, tokens.__context, node)).status).toBe(401)
    expect(await readsPatient(t, tokens)).toBe(401)
  })
})
