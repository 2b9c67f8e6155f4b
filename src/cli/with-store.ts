/** The store that a command works on: the demonstration's, or that of a configuration. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.js'
import { openStore } from '../foundations.js'
import { createLog } from '../log.js'
import { DATABASE } from '../store/embedded.js'
import type { Store } from '../store/store.js'
import { type Option, type Outside, Refused, text, type Values } from './command.js'
import { demoConfigOf, requireDemo } from './demo.js'
import { configOf } from './serve.js'

/** What every command on a store takes. */
export const STORE_OPTIONS: Readonly<Record<string, Option>> = {
  config: {
    type: 'string',
    value: 'DIR',
    help: 'the configuration directory (default the demonstration’s)',
  },
  data: { type: 'string', value: 'DIR', help: 'the demonstration’s data (default .data)' },
  redis: { type: 'string', value: 'URL', help: 'the demonstration’s Redis, when it runs on one' },
}

type Work = (store: Store, config: Config) => Promise<void>

const configFor = async (outside: Outside, values: Values): Promise<Config> => {
  const directory = text(values, 'config')
  return directory === undefined
    ? await demoConfigOf(outside, values)
    : configOf(outside, directory)
}

async function withStoreOf(outside: Outside, config: Config, work: Work): Promise<void> {
  const store = await openStore(config, { ...outside, log: createLog('warn'), allowHttp: false })
  try {
    await work(store, config)
  } finally {
    await store.close()
  }
}

/** Opens the store of a configuration, the demonstration's unless one is named, for as long as the work takes. */
export async function withStore(outside: Outside, values: Values, work: Work): Promise<void> {
  await withStoreOf(outside, await configFor(outside, values), work)
}

/**
 * The same for commands that only look: nothing is made where nothing is, so that a wrong address is not
 * taken for an empty store.
 *
 * @throws Refused when there is no store
 */
export async function withKeptStore(outside: Outside, values: Values, work: Work): Promise<void> {
  if (text(values, 'config') === undefined) requireDemo(outside, values)
  const config = await configFor(outside, values)
  const { dataDir, store } = config
  if (store.kind === 'embedded' && !existsSync(join(dataDir, DATABASE))) {
    throw new Refused(`There is no store in ${dataDir}: no gateway has run there.`)
  }
  await withStoreOf(outside, config, work)
}
