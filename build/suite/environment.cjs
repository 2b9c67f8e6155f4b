/** What surrounds a test file: Node's own globals, put back as they were once it is done. */
const { AsyncLocalStorage } = require('node:async_hooks')
const { ModuleMocker } = require('jest-mock')
const stackOf = require('./stack.cjs')

/** What follows asynchronous calls, such as the provider's library: what one file has begun the next would pay for. */
const following = new Set()
const { run } = AsyncLocalStorage.prototype
AsyncLocalStorage.prototype.run = function (...given) {
  following.add(this)
  return run.apply(this, given)
}

/** Many more than one gateway has in one test, so that a key that follows another is another. */
const RSA_KEYS = 12
const kept = new Map()
const { generateKey } = SubtleCrypto.prototype
/** RSA keys are what a gateway's start costs most: the ones that were made come again, in their turn. */
SubtleCrypto.prototype.generateKey = function (algorithm, ...others) {
  const make = () => generateKey.call(this, algorithm, ...others)
  if (!/^RSA/.test(algorithm?.name)) return make()
  const kind = JSON.stringify([algorithm, others])
  const keys = kept.get(kind) ?? []
  kept.set(kind, keys)
  const next = keys.length < RSA_KEYS ? make() : keys.shift()
  keys.push(next)
  return next
}

/** What jest leaves on the global object for the file that runs. */
const OF_ONE_FILE = /^(JEST_STATE_SYMBOL|EVENT_HANDLERS|TEST_TIMEOUT_SYMBOL|\w*RETR\w+)$/

module.exports = class {
  global = globalThis
  moduleMocker = new ModuleMocker(globalThis)
  fakeTimers = null
  fakeTimersModern = null
  #console = globalThis.console
  #exit = process.exit

  async setup() {
    Error.prepareStackTrace = stackOf
  }

  async teardown() {
    this.moduleMocker.restoreAllMocks()
    for (const each of following) each.disable()
    following.clear()
    globalThis.console = this.#console
    process.exit = this.#exit
    for (const symbol of Object.getOwnPropertySymbols(globalThis))
      if (OF_ONE_FILE.test(symbol.description ?? '')) delete globalThis[symbol]
  }

  exportConditions() {
    return ['node', 'node-addons']
  }

  getVmContext() {
    return null
  }
}
