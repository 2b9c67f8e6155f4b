/**
 * Lets Node load the tests. Jest's own runtime reads, links and compiles all of src and its packages again for every test
 * file, keeps them all, and V8 never gets to optimise what each runs once: that was half of what a suite with a gateway
 * costs. Here src and packages are loaded once in a process, as in production; what stands in test/ anew for each file.
 *
 * There is no mocking of modules, no faking of timers and no coverage: nothing here needs them.
 */
const { register } = require('node:module')
const { pathToFileURL } = require('node:url')

register('./hooks.js', pathToFileURL(__filename))
process.setSourceMapsEnabled(true)

let runs = 0

module.exports = class {
  #mocker
  #globals = {}

  constructor(_config, environment) {
    this.#mocker = environment.moduleMocker
  }

  /** Jest's own parts begin anew with each file. */
  requireInternalModule(path) {
    delete require.cache[path]
    const fresh = require(path)
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
