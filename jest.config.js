/** Runs with the V8 flag that Cedar needs: see the `jest` script. */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  injectGlobals: false,
  // Node itself loads the tests: build/suite/runtime.cjs says why.
  transform: {},
  runtime: '<rootDir>/build/suite/runtime.cjs',
  testEnvironment: '<rootDir>/build/suite/environment.cjs',
  testSequencer: '<rootDir>/build/suite/sequencer.cjs',
}
