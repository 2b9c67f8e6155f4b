/** What every store promises (src/store/store.ts), shown on each back end. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Store } from '../../src/store/store.js'
import { claimContract } from './claims.js'
import { countContract } from './counts.js'
import {
  entriesAt,
  type Machines,
  MINUTE,
  person,
  random,
  read,
  type Shared,
  START,
  unique,
} from './parts.js'
import { recordContract } from './records.js'
import { trailContract } from './trail.js'

export type { Shared } from './parts.js'

/** @param share what the instances of the store will have in common; called once */
export function storeContract(backEnd: string, share: () => Promise<Shared>): void {
  describe(`${backEnd} store`, () => {
    const t = { now: START } as { now: number; shared: Shared; store: Store; other: Store }
    beforeAll(async () => {
      t.shared = await share()
      t.store = await t.shared.open({ clock: () => t.now, random })
      t.other = await t.shared.open({ clock: () => t.now, random })
    })
    afterAll(async () => {
      await t.store?.close()
      await t.other?.close()
      await t.shared?.stop()
    })
    claimContract(t)
    recordContract(t)
    countContract(t)
    trailContract(t)
    endContract(t)
  })
}

function endContract(t: Machines): void {
  describe('its end', () => {
    it('answers a ping while it can be written to', async () => {
      await expect(t.store.ping()).resolves.toBeUndefined()
    })

    it('finishes what was asked before it closes, then refuses everything', async () => {
      const closing = await t.shared.open({ clock: () => t.now, random })
      const id = unique('gp/user')
      const last = closing.commit({
        claims: [{ what: unique('last'), until: t.now + MINUTE }],
        entries: entriesAt(t.now, unique('last')),
        puts: [person(id, '555', t.now + MINUTE)],
      })
      await closing.close()
      expect(await last).toBe(true)
      expect(await t.store.get('person', id)).toBeDefined()
      const refused = { code: 'closed' }
      await expect(closing.get('person', id)).rejects.toMatchObject(refused)
      await expect(closing.commit({})).rejects.toMatchObject(refused)
      await expect(closing.count('x', t.now + MINUTE)).rejects.toMatchObject(refused)
      await expect(closing.list('app')).rejects.toMatchObject(refused)
      await expect(closing.heads()).rejects.toMatchObject(refused)
      await expect(read(closing)).rejects.toMatchObject(refused)
      await expect(closing.sweep()).rejects.toMatchObject(refused)
      await expect(closing.ping()).rejects.toMatchObject(refused)
      await expect(closing.close()).resolves.toBeUndefined()
    })
  })
}
