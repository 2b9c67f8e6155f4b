/**
 * The policy version in force: kept in the store, the same for every node, followed by each.
 *
 * A version is the files of `config/policies` and `roles.yaml` together, called by their hash. The configuration
 * directory is a *seed*: a node publishes it when it starts, once. Whether it has been published is remembered by its
 * hash, so an old node that restarts while a newer seed is in force follows the newer one and does not put its own
 * back; two seeds cannot take turns. To return to files that were in force before, publish them on purpose
 * (`republish`) or change a line of them, a dated comment for example: either is a new version. Once people have
 * published a version by name, no other seed takes its place by itself: it would go past the four eyes.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Trail } from '../audit/trail.js'
import type { Post } from '../core/console.js'
import type { Policies } from '../core/decision.js'
import type { Records } from '../core/records.js'
import type { Clock, EpochMs, Seconds } from '../core/values.js'
import type { Store } from '../store/store.js'
import { checkFiles } from './check.js'
import { createPolicies, type Engine } from './engine.js'
import { readPosts } from './posts.js'
import { Problems } from './problem.js'
import { publication, seedOf } from './publishing.js'
import { type RoleMap, readRoles } from './roles.js'
import type { Soundness } from './soundness.js'
import { hashOfFiles, type PolicyFiles, ROLES_FILE } from './source.js'

/** Past this without word from the store, a node stops issuing. */
export const ISSUE_FOR: Seconds = 30
/** And past this, by default, it stops serving reads as well. */
const READ_FOR: Seconds = 900
/** How often, and how many milliseconds apart, a node looks whether another has finished publishing. */
const TRIES = 50
const TRY_EVERY = 100
/** A refresh that hangs longer than this, in milliseconds, is not waited for by the next one. */
const HANGING = 5_000

export interface OpenPoliciesParts {
  readonly store: Pick<Store, 'get' | 'getAll'>
  readonly trail: Pick<Trail, 'commit'>
  readonly clock: Clock
  /** The files of the configuration directory. */
  readonly source: PolicyFiles
  /** Ids of the plan's sections. */
  readonly sections: readonly string[]
  /** Publish the source although it has been in force before. */
  readonly republish?: boolean
  readonly readFor?: Seconds
  /** What was found sound already: a version that was judged with its tests is noted here. */
  readonly sound?: Soundness
  readonly wait?: (milliseconds: number) => Promise<unknown>
}

/** The policies in force, and what this node knows of them. */
export interface OpenPolicies extends Policies {
  /** False when word of the current version is so old that not even reads may be served. */
  mayRead(): boolean
  /** When the store last said which version is in force. */
  heardAt(): EpochMs
  /** What the version in force is called by: the hash of its files. */
  hash(): string
  /** The role map of the version in force. */
  roles(): RoleMap
  /** Who has which duty in the console, by the version in force. */
  posts(): readonly Post[]
  /** The files of the version in force. */
  files(): PolicyFiles
  /** True when the files of this node's configuration are not the version in force: its operator should know. */
  superseded(): boolean
  /**
   * Follows the store to the version in force. To be called every second; a call while another is under way joins it.
   *
   * @throws Error where the version cannot be learned or used: the node goes on with what it has until
   *   {@link Policies.mayIssue} and {@link mayRead} end
   */
  refresh(): Promise<void>
  close(): void
}

type Current = Records['policy']

/**
 * Publishes the seed where it is new, then opens the version in force.
 *
 * @throws Problems when the source is not fit to be published; its tests are run only when it is to be
 */
export async function openPolicies(parts: OpenPoliciesParts): Promise<OpenPolicies> {
  const hash = hashOfFiles(parts.source)
  await parts.sound?.has(hash)
  // What a version's own tests say cannot change once it is published; how it fits this gateway can.
  if (!(await publishSeed(parts, hash))) mustPass(parts, false)
  const followed = follow(parts, hash)
  await followed.refresh()
  return followed
}

/** @throws Problems when the source is not fit to be published */
function mustPass({ source, sections, sound }: OpenPoliciesParts, withTests: boolean): void {
  if (sound?.knows(hashOfFiles(source))) return
  const { problems, hash } = checkFiles(source, sections, { withTests })
  if (problems.length > 0) throw new Problems(problems)
  if (withTests) sound?.note(hash)
}

/** What people published by name, a machine that starts with other files does not take out of force. */
const isOfPeople = ({ origin = 'seed' }: Current): boolean => origin !== 'seed'

/** Whether the source had to be judged because nobody had published it, or not since others came into force. */
async function publishSeed(parts: OpenPoliciesParts, hash: string): Promise<boolean> {
  const { store, trail, source, clock, republish = false, wait = pause } = parts
  for (let tries = 0; tries < TRIES; tries++) {
    const now = clock()
    const [current, before] = await store.getAll([
      { kind: 'policy', id: 'current' },
      { kind: 'policy', id: seedOf(hash) },
    ])
    if (current?.hash === hash) return tries > 0
    // A seed that is noted with a higher number than the current one was cut off before it came into force.
    const wasInForce = current && before && before.version <= current.version
    if ((wasInForce || (current && isOfPeople(current))) && !republish) return tries > 0
    if (tries === 0) mustPass(parts, true)
    const origin = { origin: 'seed' } as const
    const seed = { files: source, hash, previous: current, origin, now }
    if (await trail.commit(publication(seed))) return true
    await wait(TRY_EVERY)
  }
  throw new Error('another node took the next policy version and has not published it: start again')
}

/** A version that this node holds, ready to answer. */
interface Held {
  readonly hash: string
  readonly engine: Engine
  readonly roles: RoleMap
  readonly posts: readonly Post[]
  readonly files: PolicyFiles
}

/** Opens a version of which the store says that it is in force. */
async function openVersion(
  { store, source }: OpenPoliciesParts,
  seedHash: string,
  { version, hash }: Current,
): Promise<Held> {
  const files = hash === seedHash ? source : (await store.get('policy', String(version)))?.files
  if (!files || hashOfFiles(files) !== hash)
    throw new Error(`policy version ${version} is not whole in the store`)
  const roles = readRoles(files[ROLES_FILE] ?? '', ROLES_FILE)
  const posts = readPosts(files)
  return { hash, roles, posts, files, engine: createPolicies(files, { version }) }
}

/** Learns which version is in force, again and again, and answers by it. */
function follow(parts: OpenPoliciesParts, seedHash: string): OpenPolicies {
  const { store, clock, readFor = READ_FOR } = parts
  let held: Held | undefined
  let heardAt = 0
  let underWay: { readonly since: EpochMs; readonly done: Promise<void> } | undefined

  const now = (): Held => {
    if (!held) throw new Error('no policy version has been opened')
    return held
  }
  const learn = async (since: EpochMs): Promise<void> => {
    const current = await store.get('policy', 'current')
    if (!current) throw new Error('the store holds no policy version')
    if (held?.hash !== current.hash || held.engine.version() !== current.version) {
      const opened = await openVersion(parts, seedHash, current)
      const version = held?.engine.version() ?? 0
      // After a failover a store may have forgotten: older rules must not come back by accident.
      if (current.version < version) {
        opened.engine.close()
        throw new Error(
          `the policy version in the store went back from ${version} to ${current.version}`,
        )
      }
      held?.engine.close()
      held = opened
    }
    heardAt = Math.max(heardAt, since)
  }
  const refresh = (): Promise<void> => {
    const since = clock()
    if (underWay && since - underWay.since < HANGING) return underWay.done
    const mine = { since, done: learn(since) }
    underWay = mine
    return mine.done.finally(() => {
      if (underWay === mine) underWay = undefined
    })
  }
  // A clock that was set back must not make old word young.
  const heardWithin = (span: Seconds): boolean => Math.abs(clock() - heardAt) <= span * 1000

  return {
    refresh,
    version: () => now().engine.version(),
    decide: (question) => now().engine.decide(question),
    stepUp: (question) => now().engine.stepUp(question),
    mayIssue: () => heardWithin(ISSUE_FOR),
    mayRead: () => heardWithin(readFor),
    heardAt: () => heardAt,
    hash: () => now().hash,
    roles: () => now().roles,
    posts: () => now().posts,
    files: () => now().files,
    superseded: () => now().hash !== seedHash,
    close: () => {
      held?.engine.close()
      held = undefined
    },
  }
}
