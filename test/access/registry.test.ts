import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createRegistry } from '../../src/access/registry.js'
import { openEmbedded } from '../../src/store/embedded.js'
import type { Put, Store } from '../../src/store/store.js'

const until = Date.UTC(9999, 0)
const row = (id: string, more: object = {}) => ({
  ...{ id, name: id, rung: 'pushed', jwks_uri: 'https://gp.example/jwks', sign_on: 'launch' },
  ...{ organizations: ['A83001'], apps: ['care-plan'], ...more },
})
const system = (id: string, more: object = {}): Put => ({
  ...{ kind: 'system', id, until },
  value: row(id, more),
})
const app = (id: string, origin: string): Put => ({
  ...{ kind: 'app', id, until },
  value: { id, name: id, type: 'public', redirect_uris: [`${origin}/`], scopes: ['launch'] },
})

describe('the registry', () => {
  let now = Date.UTC(2026, 0, 5, 9)
  let dir = ''
  let store: Store
  let listed = 0
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'registry-'))
    const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
    store = await openEmbedded({ dir, clock: () => now, random })
    listed = 0
  })
  afterEach(async () => {
    await store.close()
    await rm(dir, { recursive: true })
  })
  const open = () =>
    createRegistry({
      ...{ apps: [], systems: [], clock: () => now },
      store: {
        ...store,
        list: (kind) => {
          listed += 1
          return store.list(kind)
        },
      },
    })
  const keep = (...puts: readonly Put[]) => store.commit({ puts })
  /** As many as a region has, in commits of a size. */
  const keepMany = async () => {
    for (let first = 0; first < 1500; first += 100)
      await keep(...Array.from({ length: 100 }, (_, i) => system(`s${first + i}`)))
  }

  it('knows a system that was added by its id at the next request, and by an issuer of its own within a second', async () => {
    const registry = open()
    expect(await registry.systemOf('own-name')).toBeUndefined()
    await keep(system('plain'), system('named', { issuer: 'own-name' }))
    expect((await registry.systemOf('plain'))?.id).toBe('plain')
    now += 1_000
    expect((await registry.systemOf('own-name'))?.id).toBe('named')
    expect(await registry.systemOf('named')).toBeUndefined()
  })

  it('reads the whole list once a second at most, however many unknown names it is asked', async () => {
    await keepMany()
    const registry = open()
    for (let i = 0; i < 200; i++) {
      expect(await registry.systemOf(`nobody-${i}`)).toBeUndefined()
      expect(await registry.hasOrigin(`https://nobody-${i}.example`)).toBe(false)
    }
    expect(listed).toBe(2)
    now += 1_000
    await Promise.all([registry.systemOf('nobody'), registry.systemOf('nobody-else')])
    expect(listed).toBe(3)
  })

  it('keeps a parsed row warm though a thousand others are listed: its key set is not fetched anew', async () => {
    await keepMany()
    const registry = open()
    const before = await registry.system('s7')
    await registry.systems()
    await registry.systemOf('nobody')
    expect(await registry.system('s7')).toBe(before)
  })

  it('knows a row that was changed', async () => {
    await keep(system('one'))
    const registry = open()
    expect((await registry.system('one'))?.name).toBe('one')
    await keep(system('one', { name: 'Renamed' }))
    expect((await registry.system('one'))?.name).toBe('Renamed')
  })

  it('answers nobody for an issuer that two stored systems have: neither may speak for the other', async () => {
    await keep(system('one', { issuer: 'both' }), system('two', { issuer: 'both' }))
    expect(await open().systemOf('both')).toBeUndefined()
  })

  it('does not take a list that could not be read for an empty one', async () => {
    const registry = createRegistry({
      ...{ apps: [], systems: [], clock: () => now },
      store: { ...store, list: () => Promise.reject(new Error('away')) },
    })
    await expect(registry.systemOf('own-name')).rejects.toThrow('away')
  })

  it('shares with the origin of an app that was added, within a second', async () => {
    const registry = open()
    expect(await registry.hasOrigin('https://app.example')).toBe(false)
    await keep(app('one', 'https://app.example'))
    now += 1_000
    expect(await registry.hasOrigin('https://app.example')).toBe(true)
  })
})
