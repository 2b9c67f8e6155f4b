/**
 * One stage for all parts of a suite: a browser and the bundle cost more than most of what is tested on them. A part
 * is a file of `describe`s that takes its stage from here; it is run by being imported into a suite.
 */
import { afterAll, beforeAll, jest } from '@jest/globals'
import { openStage, type Stage } from './care-plan-stage.js'

// A wait gives up after half of it and then says for what it waited.
jest.setTimeout(120_000)

let siteIsolation = true
/** For a suite that is not about frames and origins: its frames share a process. */
export const shareProcess = () => {
  siteIsolation = false
}

/** Opened before the first test. */
export let stage: Stage
beforeAll(async () => {
  stage = await openStage(siteIsolation)
}, 120_000)
afterAll(() => stage?.close())
