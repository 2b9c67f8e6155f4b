/** Counters in Redis, confirmed by one server alone: one that a failover loses lets somebody try once more. */
import type { Clock, EpochMs } from '../core/values.js'
import type { Connection } from './redis-connection.js'
import { SLACK } from './redis-writing.js'

/** In one step, so that no counter is left without its end. */
const COUNT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`

/** @throws StoreFailure unavailable */
export const openCounting =
  (connection: Connection, prefix: string, clock: Clock) =>
  async (key: string, until: EpochMs): Promise<number> => {
    const left = Math.ceil(Math.max(until - clock(), 0)) + SLACK
    // Not by `write`, which waits for replicas.
    const [count] = await connection.read([['eval', COUNT, 1, prefix + key, left]])
    return Number(count)
  }
