/** Commits to Redis: claims, then entries, then puts and drops, each confirmed before the next begins. */
import type { Kind } from '../core/records.js'
import type { Clock, EpochMs } from '../core/values.js'
import { StoreFailure } from './failure.js'
import { encodeUntil, MOST_WAITING, type Writing } from './records.js'
import type { Command, Connection } from './redis-connection.js'
import { type EntryMaker, type Fault, openAppending } from './redis-stream.js'

export interface RedisWriting {
  commit(writing: Writing): Promise<boolean>
  /** Resolves once nothing is under way. */
  idle(): Promise<void>
}

export interface RedisWritingParts {
  readonly connection: Connection
  readonly prefix: string
  readonly writer: string
  readonly clock: Clock
  readonly warn: (message: string) => void
}

interface Job {
  readonly make: EntryMaker
  readonly commands: readonly Command[]
  readonly resolve: (won: boolean) => void
  readonly reject: (error: unknown) => void
}

const MOST_IN_ONE_ELEMENT = 256
/** The server's expiry only cleans: our clock judges, and the clocks of two machines differ. */
export const SLACK = 5 * 60_000
const TEN_YEARS = 10 * 365 * 24 * 3_600_000

/** What makes a key go away some time after `until`; nothing for what is kept for ever. */
function expiry(until: EpochMs, now: EpochMs): readonly (string | number)[] {
  const left = Math.ceil(Math.max(until - now, 0)) + SLACK
  return left > TEN_YEARS ? [] : ['PX', left]
}

/** A claim whose time has come by our clock, but not yet by the server's, is free. */
const RETAKE = `
local held = redis.call('GET', KEYS[1])
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], unpack(ARGV, 2))
return 1`

export const indexKey = (prefix: string, kind: Kind): string => `${prefix}index/${kind}`

function commandsOf(prefix: string, { puts, drops }: Writing, now: EpochMs): readonly Command[] {
  const commands: Command[] = []
  for (const { key, text, until, listed } of puts) {
    commands.push(['set', prefix + key, text, ...expiry(until, now)])
    if (listed) commands.push(['sadd', indexKey(prefix, listed.kind), listed.id])
  }
  for (const { key, listed } of drops) {
    commands.push(['del', prefix + key])
    if (listed) commands.push(['srem', indexKey(prefix, listed.kind), listed.id])
  }
  return commands
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function openRedisWriting(parts: RedisWritingParts): RedisWriting {
  const { connection, prefix, clock } = parts
  const append = openGroups(parts)
  const claim = openClaiming(connection, clock)

  async function commit(writing: Writing): Promise<boolean> {
    for (const { key, until } of writing.claims)
      if (!(await claim(prefix + key, until))) return false
    const commands = commandsOf(prefix, writing, clock())
    if (writing.entries) return append(writing.entries, commands)
    if (commands.length > 0) await connection.write(commands)
    return true
  }

  let underway = 0
  const waiting: (() => void)[] = []
  return {
    async commit(writing) {
      if (underway >= MOST_WAITING) throw new StoreFailure('overloaded', 'too many commits wait')
      underway += 1
      try {
        return await commit(writing)
      } finally {
        underway -= 1
        if (underway === 0) for (const resolve of waiting.splice(0)) resolve()
      }
    },
    async idle() {
      if (underway > 0) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

/** Entries of all that wait go together; the puts of one group travel while the next is appended. */
function openGroups({ connection, prefix, writer, warn }: RedisWritingParts) {
  const appending = openAppending(connection, prefix, writer, warn)
  connection.onClose(appending.doubt)
  const jobs: Job[] = []
  let working = false
  async function work(): Promise<void> {
    working = true
    // Replies arrive many at a time: whoever was answered in this turn joins the group.
    await nextTurn()
    while (jobs.length > 0) {
      const group = jobs.splice(0, MOST_IN_ONE_ELEMENT)
      try {
        const faults = await appending.append(group.map(({ make }) => make))
        void finish(connection, group, faults)
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    working = false
  }
  return (make: EntryMaker, commands: readonly Command[]): Promise<boolean> =>
    new Promise((resolve, reject) => {
      jobs.push({ make, commands, resolve, reject })
      if (!working) void work()
    })
}

/**
 * Takes a claim: true for exactly one caller. Claims asked for in one turn of the event loop travel in one
 * trip, because each write to the socket costs more than the command.
 */
function openClaiming(
  connection: Connection,
  clock: Clock,
): (key: string, until: EpochMs) => Promise<boolean> {
  let gathered: Command[] = []
  let trip: Promise<readonly unknown[]> | undefined
  const leave = async () => {
    await nextTurn()
    const commands = gathered
    gathered = []
    trip = undefined
    return connection.write(commands)
  }
  return async (key, until) => {
    const now = clock()
    if (until <= now) return false
    const value = [encodeUntil(until), ...expiry(until, now)]
    const place = gathered.push(['set', key, ...value, 'NX']) - 1
    trip ??= leave()
    const taken = (await trip)[place]
    if (taken === 'OK') return true
    const [retaken] = await connection.write([['eval', RETAKE, 1, key, now, ...value]])
    return retaken === 1
  }
}

async function finish(
  connection: Connection,
  group: readonly Job[],
  faults: readonly (Fault | undefined)[],
): Promise<void> {
  const sound = group.filter((_, index) => faults[index] === undefined)
  for (const [index, { reject }] of group.entries()) {
    const fault = faults[index]
    if (fault) reject(fault.error)
  }
  try {
    const commands = sound.flatMap((job) => job.commands)
    if (commands.length > 0) await connection.write(commands)
    for (const { resolve } of sound) resolve(true)
  } catch (error) {
    for (const { reject } of sound) reject(error)
  }
}
