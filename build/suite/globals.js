/** `@jest/globals` for tests that Node itself loads: what it exports is always the running file's. */
export let afterAll
export let afterEach
export let beforeAll
export let beforeEach
export let describe
export let expect
export let it
export let jest
export let test

/** Whoever imported them has these from now on. */
export function use(globals) {
  ;({ afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest, test } = globals)
}
