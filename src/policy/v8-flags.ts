/**
 * Imported before Cedar, for its effect. On Node 20 and 22 V8 aborts the whole process when it deoptimises a
 * function into which it inlined a call of Cedar's WebAssembly, some thousands of decisions after start. Without
 * that inlining it does not, at no measurable cost (test/policy/abort.test.ts).
 */
import { setFlagsFromString } from 'node:v8'

setFlagsFromString('--no-turbo-inline-js-wasm-calls')
