/**
 * The connection to Redis: one server, Sentinel's master, or a Cluster. A command that cannot be
 * answered fails within two seconds and is never sent twice: a claim that was taken and asked for again
 * would read as lost, and an entry would be written twice.
 */
import { Cluster, Redis } from 'ioredis'
import { StoreFailure } from './failure.js'

interface Place {
  readonly host: string
  readonly port: number
}

/** `url` for one server: `redis://user:password@host:6379/0`, `rediss://` for TLS. */
export type RedisAddress =
  | { readonly url: string }
  | ({ readonly sentinels: readonly Place[]; readonly name: string } & Credentials)
  | ({ readonly nodes: readonly Place[] } & Credentials)

interface Credentials {
  readonly username?: string
  readonly password?: string
  readonly tls?: boolean
}

/** A command, its key first among the arguments. */
export type Command = readonly [name: string, key: string, ...rest: (string | number)[]]

export interface Connection {
  /** In one trip. Replies in the order asked. @throws StoreFailure unavailable */
  read(commands: readonly Command[]): Promise<readonly unknown[]>
  /**
   * In one trip; in the order given where they share a server. Answers once the asked number of replicas
   * have it. @throws StoreFailure uncertain
   */
  write(commands: readonly Command[]): Promise<readonly unknown[]>
  /** Several records in one trip. */
  values(keys: readonly string[]): Promise<readonly (string | null)[]>
  /** What INFO says of a section, of each server that is written to. */
  info(section: string): Promise<readonly string[]>
  onClose(listener: () => void): void
  close(): Promise<void>
}

const ANSWER_LIMIT = 2000
const OPEN_LIMIT = 10_000
const REPLICA_LIMIT = 1000

const PATIENCE = {
  connectTimeout: ANSWER_LIMIT,
  // Silence for this long with a command under way ends the connection, and so every command on it.
  socketTimeout: ANSWER_LIMIT,
  // Both together: what is under way when a connection is lost fails at once.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // A master that became a replica: look for the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  disableClientInfo: true,
  lazyConnect: true,
}
const again = (times: number): number => Math.min(50 * times, 1000)

function clientOf(address: RedisAddress): Redis | Cluster {
  const offline = { enableOfflineQueue: false, retryStrategy: again }
  if ('url' in address) return new Redis(address.url, { ...PATIENCE, ...offline })
  const { username, password, tls } = address
  const credentials = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  }
  if ('sentinels' in address) {
    const { sentinels, name } = address
    const sentinel = {
      sentinels: [...sentinels],
      name,
      ...(tls ? { enableTLSForSentinelMode: true } : {}),
    }
    return new Redis({ ...PATIENCE, ...offline, ...sentinel, ...credentials })
  }
  return new Cluster([...address.nodes], {
    enableOfflineQueue: false,
    lazyConnect: true,
    clusterRetryStrategy: again,
    // 0 turns resending off.
    retryDelayOnFailover: 0,
    redisOptions: { ...PATIENCE, ...credentials },
  })
}

/** A reply's error begins with its code; the rest may quote the command. A connection's error does not. */
function failureOf(code: 'unavailable' | 'uncertain', error: unknown): StoreFailure {
  if (error instanceof StoreFailure) return error
  const { name, message } = error as Error
  const said = name === 'ReplyError' ? message.split(' ', 1)[0] : message
  return new StoreFailure(code, `Redis: ${said}`)
}

/** On a Cluster, what may travel together: commands on keys of one hash tag. */
const slotOf = (key: string): string => /\{([^}]+)\}/.exec(key)?.[1] ?? key

/** @throws StoreFailure unavailable when there is no answer within ten seconds */
export async function connect(address: RedisAddress, replicas: number): Promise<Connection> {
  const client = clientOf(address)
  await opened(client)
  const reading = openReading(client)
  const failing = <T>(code: 'unavailable' | 'uncertain', work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw failureOf(code, error)
    })
  return {
    read: (commands) => failing('unavailable', send(client, commands, 0)),
    write: (commands) => failing('uncertain', send(client, commands, replicas)),
    values: (keys) => failing('unavailable', reading(keys)),
    info: (section) => failing('unavailable', infoOf(client, section)),
    onClose: (listener) => void client.on('close', listener),
    async close() {
      client.disconnect()
    },
  }
}

async function send(
  client: Redis | Cluster,
  commands: readonly Command[],
  replicas: number,
): Promise<readonly unknown[]> {
  if (!(client instanceof Cluster)) return pipeline(client, commands, replicas)
  const groups = new Map<string, number[]>()
  for (const [index, [, key]] of commands.entries()) {
    const group = groups.get(slotOf(key))
    if (group) group.push(index)
    else groups.set(slotOf(key), [index])
  }
  const replies: unknown[] = []
  const part = async (indexes: readonly number[]) => {
    const chosen = indexes
      .map((index) => commands[index])
      .filter((command) => command !== undefined)
    const values = await pipeline(client, chosen, replicas)
    for (const [place, index] of indexes.entries()) replies[index] = values[place]
  }
  await Promise.all([...groups.values()].map(part))
  return replies
}

/** On one connection, so that WAIT speaks of what went before it. */
async function pipeline(
  client: Redis | Cluster,
  commands: readonly Command[],
  replicas: number,
): Promise<readonly unknown[]> {
  const [only] = commands
  if (only && commands.length === 1 && replicas === 0) return [await client.call(...only)]
  const wait = replicas > 0 ? [['wait', replicas, REPLICA_LIMIT]] : []
  const batch = [...commands, ...wait].map((command) => [...command])
  const replies = (await client.pipeline(batch).exec()) ?? []
  const failed = replies.find(([error]) => error)
  if (failed) throw failed[0]
  const values = replies.map(([, value]) => value)
  if (replicas > 0 && Number(values.pop()) < replicas)
    throw new StoreFailure('uncertain', 'too few replicas answered')
  return values
}

async function opened(client: Redis | Cluster): Promise<void> {
  let cause: unknown
  // What connect() itself throws does not say why. Later, each command that fails says so; without a
  // listener ioredis would print.
  client.on('error', (error) => {
    cause = error
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), OPEN_LIMIT)
  })
  try {
    await Promise.race([client.connect(), late])
  } catch (error) {
    client.disconnect()
    throw failureOf('unavailable', cause ?? error)
  } finally {
    clearTimeout(timer)
  }
}

/** So that one trip does not hold up the others for long. */
const MOST_IN_ONE_TRIP = 100

/**
 * Reads of one turn of the event loop travel in one trip, because each write to the socket costs more than
 * the command. On a Cluster keys lie on different servers: there each is asked for by itself.
 */
function openReading(client: Redis | Cluster) {
  if (client instanceof Cluster)
    return (keys: readonly string[]) => Promise.all(keys.map((key) => client.get(key)))
  let gathered: Command[] = []
  let trip: Promise<readonly (readonly [Error | null, unknown])[]> = Promise.resolve([])
  const leave = async (commands: readonly Command[]) => {
    await nextTurn()
    if (gathered === commands) gathered = []
    return (await client.pipeline(commands.map((command) => [...command])).exec()) ?? []
  }
  return async (keys: readonly string[]): Promise<readonly (string | null)[]> => {
    const [key = ''] = keys
    if (keys.length === 0) return []
    if (gathered.length === 0 || gathered.length === MOST_IN_ONE_TRIP) {
      gathered = []
      trip = leave(gathered)
    }
    const place = gathered.push(keys.length === 1 ? ['get', key] : ['mget', key, ...keys.slice(1)])
    const reply = (await trip)[place - 1]
    if (!reply) throw new StoreFailure('unavailable', 'Redis left a command unanswered')
    const [error, value] = reply
    if (error) throw error
    return (keys.length === 1 ? [value] : value) as readonly (string | null)[]
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const infoOf = (client: Redis | Cluster, section: string): Promise<string[]> =>
  Promise.all(
    (client instanceof Cluster ? client.nodes('master') : [client]).map((node) =>
      node.info(section),
    ),
  )
