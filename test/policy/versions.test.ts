import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { openTrail } from '../../src/audit/trail.js'
import { Problems } from '../../src/policy/problem.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import {
  type OpenPolicies,
  type OpenPoliciesParts,
  openPolicies,
} from '../../src/policy/versions.js'
import { openEmbedded } from '../../src/store/embedded.js'
import type { Store } from '../../src/store/store.js'
import { ask, FILES, ORDINARY, SECTIONS, section } from './asking.js'

const SECOND = 1_000

/** A small version of its own: `gp` may do this with contacts. */
const small = (...actions: string[]): PolicyFiles => ({
  'policies/small.cedar': actions
    .map(
      (action) =>
        `@id("may-${action}") @layer("central") @reason("May ${action}.")
permit (principal in Role::"gp", action == Action::"${action}", resource == Section::"contacts");`,
    )
    .join('\n'),
  'policies/tests/small.yaml':
    'tests: [{ name: Nobody may, action: read, on: section/contacts, expect: deny }]',
  'policies/gateway.cedarschema': FILES['policies/gateway.cedarschema'] ?? '',
  'roles.yaml': FILES['roles.yaml'] ?? '',
})
const OLD = small('read')
const NEW = small('read', 'update')
const NEWER = small('update')

const gp = { ...ORDINARY, user: { ...ORDINARY.user, roles: ['gp'] as const } }
const may = (policies: OpenPolicies): string =>
  (['read', 'update'] as const)
    .filter((action) => policies.decide(ask(gp, action, section('contacts'))).effect === 'allow')
    .join(' ')

describe('policy versions', () => {
  let now = Date.UTC(2026, 0, 5, 9)
  let dir = ''
  let closers: (() => unknown)[] = []
  const clock = () => now

  /** A machine: a store and a trail of its own on the one directory. */
  const machine = async () => {
    const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
    const store = await openEmbedded({ dir, clock, random })
    closers.push(() => store.close())
    return { store, trail: await openTrail({ store, clock }), clock, sections: SECTIONS }
  }
  const open = async (source: PolicyFiles, over: Partial<OpenPoliciesParts> = {}) => {
    const parts = await machine()
    const policies = await openPolicies({ ...parts, source, ...over })
    closers.push(policies.close)
    return { ...parts, policies }
  }
  /** Version and the one before it, of every publication on record, whichever writer's chain it stands in. */
  const published = async (store: Store): Promise<string[]> => {
    const found: string[] = []
    for await (const { what, policy, detail } of store.trail())
      if (what === 'policy_published') found.push(`${policy?.version} after ${detail?.previous}`)
    return found.sort()
  }

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 5, 9)
    dir = await mkdtemp(join(tmpdir(), 'policies-'))
  })
  afterEach(async () => {
    for (const close of closers.reverse()) await close()
    closers = []
    await rm(dir, { recursive: true })
  })

  it('begin with the seed, published once and on record', async () => {
    const { policies, store } = await open(OLD)
    expect(policies.version()).toBe(1)
    expect(may(policies)).toBe('read')
    expect(policies.decide(ask(gp, 'read', section('contacts'))).version).toBe(1)
    const again = await open(OLD)
    expect(again.policies.version()).toBe(1)
    expect(await published(store)).toEqual(['1 after 0'])
  })

  it('reach every node by its next refresh, roles included', async () => {
    const before = await open(OLD)
    const after = await open(NEW)
    expect(after.policies.version()).toBe(2)
    expect(may(before.policies)).toBe('read')
    await before.policies.refresh()
    expect(before.policies.version()).toBe(2)
    expect(may(before.policies)).toBe('read update')
    expect(before.policies.superseded()).toBe(true)
    expect(after.policies.superseded()).toBe(false)
    expect(before.policies.roles().rules.size).toBeGreaterThan(10)
    expect(await published(before.store)).toEqual(['1 after 0', '2 after 1'])
  })

  it('do not flip back when a node with older files restarts', async () => {
    await open(OLD)
    await open(NEW)
    const restarted = await open(OLD)
    expect(restarted.policies.version()).toBe(2)
    expect(may(restarted.policies)).toBe('read update')
    expect(restarted.policies.superseded()).toBe(true)
    const other = await open(NEW)
    expect(other.policies.version()).toBe(2)
    expect(await published(other.store)).toHaveLength(2)
  })

  it('go back to older files on purpose, as a new version', async () => {
    await open(OLD)
    const node = await open(NEW)
    const back = await open(OLD, { republish: true })
    expect(back.policies.version()).toBe(3)
    expect(may(back.policies)).toBe('read')
    await node.policies.refresh()
    expect(may(node.policies)).toBe('read')
    expect((await open(OLD, { republish: true })).policies.version()).toBe(3)
  })

  it('are published by one of two nodes that start at once, and each seed once', async () => {
    const nodes = await Promise.all([open(OLD), open(OLD), open(NEW), open(NEWER)])
    for (const { policies } of nodes) await policies.refresh()
    expect(nodes.map(({ policies }) => policies.version())).toEqual([3, 3, 3, 3])
    expect(new Set(nodes.map(({ policies }) => may(policies))).size).toBe(1)
    const [first] = nodes
    expect(first && (await published(first.store))).toEqual(['1 after 0', '2 after 1', '3 after 2'])
  })

  it('wait for a node that is publishing, and take its place if it died in the act', async () => {
    const parts = await machine()
    await parts.store.commit({ claims: [{ what: 'policy/1', until: now + 60 * SECOND }] })
    let waits = 0
    const wait = async () => {
      waits++
      now += 2 * SECOND
    }
    const policies = await openPolicies({ ...parts, source: OLD, wait })
    closers.push(policies.close)
    expect(policies.version()).toBe(1)
    expect(waits).toBe(30)
  })

  it('are not opened when another node neither finishes publishing nor dies', async () => {
    const parts = { ...(await machine()), source: OLD, wait: async () => undefined }
    await parts.store.commit({ claims: [{ what: 'policy/1', until: now + 60 * SECOND }] })
    await expect(openPolicies(parts)).rejects.toThrow('another node')
  })

  it('publish again a seed whose publication was cut before it came into force', async () => {
    const { store } = await open(OLD)
    const cut = await open(NEW)
    // The store as a cut leaves it: the version and its hash are there, `current` still names the one before.
    const first = await store.get('policy', '1')
    const current = { version: 1, hash: first?.hash ?? '', at: now }
    await store.commit({
      puts: [{ kind: 'policy', id: 'current', value: current, until: now + 1e9 }],
    })
    now += 61 * SECOND
    const again = await open(NEW)
    expect(again.policies.version()).toBe(2)
    expect(may(again.policies)).toBe('read update')
    cut.policies.close()
  })

  it('are not published when anything is wrong with them, and nothing is recorded', async () => {
    const parts = await machine()
    const broken = {
      ...OLD,
      'policies/tests/t.yaml':
        'tests: [{ name: A GP deletes, roles: [gp], action: delete, on: section/contacts, expect: allow }]',
    }
    await expect(openPolicies({ ...parts, source: broken })).rejects.toThrow(Problems)
    await expect(openPolicies({ ...parts, source: { ...OLD, 'roles.yaml': '' } })).rejects.toThrow(
      Problems,
    )
    expect(await published(parts.store)).toEqual([])
    expect(await parts.store.get('policy', 'current')).toBeUndefined()
  })

  it('let a node issue for 30 seconds and read for 15 minutes without word from the store', async () => {
    const { policies } = await open(OLD)
    expect([policies.mayIssue(), policies.mayRead()]).toEqual([true, true])
    now += 30 * SECOND
    expect([policies.mayIssue(), policies.mayRead()]).toEqual([true, true])
    now += 1
    expect([policies.mayIssue(), policies.mayRead()]).toEqual([false, true])
    now += 870 * SECOND - 1
    expect(policies.mayRead()).toBe(true)
    now += 1
    expect(policies.mayRead()).toBe(false)
    await policies.refresh()
    expect([policies.mayIssue(), policies.mayRead()]).toEqual([true, true])
  })

  it('count word from the moment it was asked for, and none from a store that fails', async () => {
    const parts = await machine()
    let answer: () => Promise<unknown> = async () => undefined
    const store = {
      ...parts.store,
      get: async (kind: 'policy', id: string) => {
        await answer()
        return parts.store.get(kind, id)
      },
    } as Store
    const policies = await openPolicies({ ...parts, store, source: OLD })
    closers.push(policies.close)
    const opened = now
    now += 20 * SECOND
    answer = async () => {
      throw new Error('the store is away')
    }
    await expect(policies.refresh()).rejects.toThrow('away')
    expect(policies.heardAt()).toBe(opened)
    answer = async () => {
      now += 3 * SECOND
    }
    await policies.refresh()
    expect(policies.heardAt()).toBe(opened + 20 * SECOND)
  })

  it('are asked for once at a time, but a refresh that hangs does not stop the next', async () => {
    const parts = await machine()
    let asked = 0
    let hangs = false
    const store = {
      ...parts.store,
      get: (kind: 'policy', id: string) => {
        asked++
        return hangs ? new Promise(() => undefined) : parts.store.get(kind, id)
      },
    } as Store
    const policies = await openPolicies({ ...parts, store, source: OLD })
    closers.push(policies.close)
    asked = 0
    await Promise.all([policies.refresh(), policies.refresh(), policies.refresh()])
    expect(asked).toBe(1)
    hangs = true
    void policies.refresh()
    void policies.refresh()
    expect(asked).toBe(2)
    now += 5 * SECOND
    hangs = false
    await policies.refresh()
    expect(asked).toBe(3)
    expect(policies.heardAt()).toBe(now)
  })

  it('never go back to older rules because a store forgot the newer ones', async () => {
    const { policies, store } = await open(NEW)
    const { policies: newer } = await open(NEWER)
    await policies.refresh()
    const first = await store.get('policy', '1')
    const forgot = { version: 1, hash: first?.hash ?? '', at: now }
    await store.commit({
      puts: [{ kind: 'policy', id: 'current', value: forgot, until: now + 1e9 }],
    })
    await expect(policies.refresh()).rejects.toThrow('went back from 2 to 1')
    expect(may(policies)).toBe(may(newer))
  })

  it('are refused when the files in the store are not those of the hash', async () => {
    const { policies, store } = await open(OLD)
    const { version, hash } = { version: 2, hash: 'not-the-hash' }
    const until = now + 1e9
    await store.commit({
      puts: [
        { kind: 'policy', id: '2', value: { version, hash, at: now, files: NEWER }, until },
        { kind: 'policy', id: 'current', value: { version, hash, at: now }, until },
      ],
    })
    await expect(policies.refresh()).rejects.toThrow('not whole')
    expect(policies.version()).toBe(1)
    now += 31 * SECOND
    expect(policies.mayIssue()).toBe(false)
  })
})
