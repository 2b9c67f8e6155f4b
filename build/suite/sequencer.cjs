/** The dearest suites first: one that begins last keeps one core busy while the others wait. */
const { default: Sequencer } = require('@jest/test-sequencer')

/** By what their paths hold. */
const DEAR = [
  '/browser/',
  '/cli/',
  '/console/',
  '/attack/console',
  '/policy/',
  '/demo/',
  '/journey/',
]

const rankOf = ({ path }) => {
  const at = DEAR.findIndex((part) => path.includes(part))
  return at < 0 ? DEAR.length : at
}

module.exports = class extends Sequencer {
  /** Where every file's time is known from an earlier run, by that. */
  sort(tests) {
    const sorted = super.sort(tests)
    const areKnown = sorted.every(({ duration }) => duration !== undefined && duration !== null)
    return areKnown ? sorted : [...sorted].sort((a, b) => rankOf(a) - rankOf(b))
  }
}
