/** Runs with the V8 flag that Cedar needs: see the `jest` script. */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  injectGlobals: false,
  // Node itself loads the tests: build/suite/runtime.cjs says why.
  transform: {},
  runtime: '<rootDir>/build/suite/runtime.cjs',
  testEnvironment: '<rootDir>/build/suite/environment.cjs',
  // What takes two seconds alone takes twenty on a machine that does other work as well; a test that hangs is found anyway.
  testTimeout: 60_000,
  testSequencer: '<rootDir>/build/suite/sequencer.cjs',
}
