/** Machines on one store, each with drafts of its own; people; and small versions of the policies. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTrail, type Trail } from '../../src/audit/trail.js'
import type { TrailEntry } from '../../src/core/audit.js'
import type { Draft, Person } from '../../src/core/draft.js'
import { endOf } from '../../src/core/records.js'
import { checkFiles } from '../../src/policy/check.js'
import { createDrafts, type Drafts, type DraftsParts } from '../../src/policy/drafts.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { type OpenPolicies, openPolicies } from '../../src/policy/versions.js'
import { openEmbedded } from '../../src/store/embedded.js'
import { openRedis } from '../../src/store/redis.js'
import type { Store } from '../../src/store/store.js'
import { type RedisServer, startRedis } from '../redis-server.js'
import { ask, FILES, ORDINARY, SECTIONS, section } from './asking.js'

export const author: Person = { uid: '555000000001', name: 'Ann Author' }
export const approver: Person = { uid: '555000000002', name: 'Per Approver' }
export const other: Person = { uid: '555000000003', name: 'Oda Other' }
export const nobody: Person = { uid: '', name: 'Without Uid' }

export const INVARIANTS = 'policies/invariants.yaml'

/** `gp` may do this with contacts. */
export const small = (...actions: string[]): PolicyFiles => ({
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

/** An invariant of theirs: nobody may. */
export const never = (action: string): string =>
  `invariants: [{ name: Nobody may ${action}, roles: any, actions: ${action}, on: section/contacts, expect: never }]\n`

export interface Node {
  readonly store: Store
  readonly trail: Trail
  readonly drafts: Drafts
  readonly policies: OpenPolicies
}
export interface Site {
  now: number
  readonly redis: RedisServer | undefined
  node(change?: Partial<DraftsParts>, over?: (store: Store) => Store): Promise<Node>
  entries(node: Node): Promise<TrailEntry[]>
  close(): Promise<void>
}

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

export async function openSite(kind: 'embedded' | 'redis'): Promise<Site> {
  const dir = await mkdtemp(join(tmpdir(), 'drafts-'))
  const redis = kind === 'redis' ? await startRedis() : undefined
  const closers: (() => unknown)[] = []
  const site: Site = {
    now: Date.UTC(2026, 0, 5, 9),
    redis,
    async node(change = {}, over = (store) => store) {
      const clock = () => site.now
      const given = { clock, random }
      const opened = redis
        ? await openRedis({ ...given, url: redis.url, replicas: 0, warn: () => undefined })
        : await openEmbedded({ ...given, dir })
      closers.push(() => opened.close())
      const store = over(opened)
      const trail = await openTrail({ store, clock })
      const parts = { store, trail, clock, sections: SECTIONS }
      const policies = await openPolicies({ ...parts, source: small('read') })
      closers.push(policies.close)
      const drafts = createDrafts({
        ...{ ...parts, random, check: (files) => checkFiles(files, SECTIONS).problems },
        lockedOut: (files) =>
          files['policies/small.cedar']?.includes('lock-all') ? 'nobody is left' : undefined,
        revoking: (version) => {
          const end = { kind: 'ended', id: endOf('policy', String(version)) } as const
          return { ...end, value: { at: site.now }, until: site.now + 60_000 }
        },
        ...change,
      })
      return { store, trail, policies, drafts }
    },
    async entries({ store }) {
      const found: TrailEntry[] = []
      for await (const entry of store.trail()) found.push(entry)
      return found
    },
    async close() {
      for (const close of closers.reverse()) await close()
      await redis?.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
  return site
}

/** An author's draft of these files, on the version in force. */
export async function draftOf({ drafts }: Node, files: PolicyFiles, by = author): Promise<Draft> {
  const { id, generation } = await drafts.open({
    by,
    layer: 'central',
    title: 'A change',
    ticket: '',
  })
  const { files: base } = await drafts.inForce()
  // What guardians put there stays.
  const invariants = base[INVARIANTS] === undefined ? {} : { [INVARIANTS]: base[INVARIANTS] }
  return drafts.edit(id, { by, generation, files: { ...files, ...invariants } })
}

export async function proposedOf(node: Node, files: PolicyFiles, by = author): Promise<Draft> {
  const { id, hash } = await draftOf(node, files, by)
  return node.drafts.propose(id, { by, reason: 'They need to.', ticket: 'CHG-1', hash })
}

export async function approvedOf(node: Node, files: PolicyFiles): Promise<Draft> {
  const { id, hash } = await proposedOf(node, files)
  return node.drafts.approve(id, { by: approver, hash })
}

export const publishedOf = async (node: Node, files: PolicyFiles): Promise<Draft> => {
  const { id, hash } = await approvedOf(node, files)
  return node.drafts.publish(id, { by: author, hash })
}

const gp = { ...ORDINARY, user: { ...ORDINARY.user, roles: ['gp'] as const } }
/** What a GP may do with contacts by the version in force on a node. */
export const mayDo = ({ policies }: Node): string =>
  (['read', 'update', 'create', 'delete'] as const)
    .filter((action) => policies.decide(ask(gp, action, section('contacts'))).effect === 'allow')
    .join(' ')

/** The code with which an act is refused. */
export const refusalOf = (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => 'done',
    (error: { readonly code?: string; readonly message: string }) => error.code ?? error.message,
  )
