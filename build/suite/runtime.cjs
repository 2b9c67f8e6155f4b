/**
 * Lets Node load the tests. Jest's own runtime reads, links and compiles all of src and its packages again for every test
 * file, keeps them all, and V8 never gets to optimise what each runs once: that was half of what a suite with a gateway
 * costs. Here src and packages are loaded once in a process, as in production; what stands in test/ anew for each file.
 *
 * There is no mocking of modules, no faking of timers and no coverage: nothing here needs them.
 */
const asyncHooks = require('node:async_hooks')
const { register } = require('node:module')
const { pathToFileURL } = require('node:url')

register('./hooks.js', pathToFileURL(__filename))
process.setSourceMapsEnabled(true)

let runs = 0

/**
 * To know whose an error is jest's own parts follow every asynchronous call, and each file has parts of its own: before
 * Node 24 all promises of a process became dearer with each file that it had run, three times after sixty. One test
 * runs at a time here, so there is nothing to follow.
 */
class RunsAlone {
  #store

  getStore() {
    return this.#store
  }

  run(store, act) {
    const before = this.#store
    this.#store = store
    return Promise.resolve(act()).finally(() => {
      this.#store = before
    })
  }
}

/** Runs what loads jest's own parts. */
function withoutFollowing(load) {
  const { AsyncLocalStorage } = asyncHooks
  asyncHooks.AsyncLocalStorage = RunsAlone
  try {
    return load()
  } finally {
    asyncHooks.AsyncLocalStorage = AsyncLocalStorage
  }
}

module.exports = class {
  #mocker
  #globals = {}

  constructor(_config, environment) {
    this.#mocker = environment.moduleMocker
  }

  /** Jest's own parts begin anew with each file. */
  requireInternalModule(path) {
    delete require.cache[path]
    const fresh = withoutFollowing(() => require(path))
    // Else everything that a file ever described would be kept.
    module.children = module.children.filter(({ filename }) => filename !== path)
    return fresh
  }

  requireModule(path) {
    return require(path)
  }

  setGlobalsForRuntime(globals) {
    const mocker = this.#mocker
    const jest = {
      fn: mocker.fn.bind(mocker),
      spyOn: mocker.spyOn.bind(mocker),
      setTimeout(milliseconds) {
        globalThis[Symbol.for('TEST_TIMEOUT_SYMBOL')] = milliseconds
        return jest
      },
    }
    this.#globals = { ...globals, jest }
  }

  unstable_shouldLoadAsEsm() {
    return true
  }

  async unstable_importModule(path) {
    runs += 1
    const { use } = await import('./globals.js')
    use(this.#globals)
    return import(`${pathToFileURL(path)}?run=${runs}`)
  }

  clearAllMocks() {
    this.#mocker.clearAllMocks()
  }
  resetAllMocks() {
    this.#mocker.resetAllMocks()
  }
  restoreAllMocks() {
    this.#mocker.restoreAllMocks()
  }

  /** Which jest tells every runtime, and asks of it. */
  resetModules() {}
  enterTestCode() {}
  leaveTestCode() {}
  teardown() {}
  getSourceMaps() {
    return new Map()
  }
  getAllCoverageInfoCopy() {
    return undefined
  }
  getAllV8CoverageInfoCopy() {
    return undefined
  }
}
