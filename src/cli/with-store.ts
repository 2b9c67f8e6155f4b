/** The store that a command works on: the demonstration's, or that of a configuration. */
import type { Config } from '../config.js'
import { createLog } from '../log.js'
import { openStore } from '../open.js'
import type { Store } from '../store/store.js'
import { type Option, type Outside, text, type Values } from './command.js'
import { demoConfigOf } from './demo.js'
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

/** Opens the store of a configuration, the demonstration's unless one is named, for as long as the work takes. */
export async function withStore(
  outside: Outside,
  values: Values,
  work: (store: Store, config: Config) => Promise<void>,
): Promise<void> {
  const directory = text(values, 'config')
  const config =
    directory === undefined ? await demoConfigOf(outside, values) : configOf(outside, directory)
  const store = await openStore(config, { ...outside, log: createLog('warn'), allowHttp: false })
  try {
    await work(store, config)
  } finally {
    await store.close()
  }
}
