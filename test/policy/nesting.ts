/**
 * Run by bounds.test.ts in a process of its own, for what it does to Cedar cannot be undone. Checks, opens and asks a
 * policy of each shape at each depth, then asks a sound one. Prints a line for each: its first problem, or the answer.
 */
import { checkFiles } from '../../src/policy/check.js'
import { createPolicies } from '../../src/policy/engine.js'
import { describeProblem } from '../../src/policy/problem.js'
import { placesIn, readSections, readSource } from '../../src/policy/source.js'

const [config = '', ...depths] = process.argv.slice(2)
const places = placesIn(config)
const [files, sections] = [await readSource(places), await readSections(places.plan)]

const SHAPES: Readonly<Record<string, (n: number) => string>> = {
  brackets: (n) => `${'('.repeat(n)}true${')'.repeat(n)}`,
  unclosed: (n) => '('.repeat(n),
  sets: (n) => `${'['.repeat(n)}1${']'.repeat(n)} == ${'['.repeat(n)}1${']'.repeat(n)}`,
  records: (n) => `${'{a: '.repeat(n)}1${'}'.repeat(n)}${'.a'.repeat(n)} == 1`,
  negations: (n) => `${'!('.repeat(n)}true${')'.repeat(n)}`,
  calls: (n) => `${'[1 == 1].contains('.repeat(n)}true${')'.repeat(n)}`,
  choices: (n) => `${'if true then true else '.repeat(n)}true`,
  attributes: (n) => `context${'.purpose'.repeat(n)} == ""`,
  sums: (n) => `1${' + 1'.repeat(n)} == 1`,
  products: (n) => `1${' * 1'.repeat(n)} == 1`,
  ands: (n) => `true${' && true'.repeat(n)}`,
  ors: (n) => `false${' || false'.repeat(n)}`,
  everything: (n) =>
    `${'(true && (1 + 1 == 2 || context.purpose == "a" && '.repeat(n / 2)}true${'))'.repeat(n / 2)}`,
}

const question = {
  user: {
    id: 'u',
    roles: [],
    activities: [],
    activitySource: 'listed' as const,
    assurance: 2 as const,
    organization: { odsCode: '', type: '', region: '' },
  },
  patient: { sensitive: false, deceased: false },
  launch: { rung: 'pushed' as const, system: '', app: '' },
  purpose: 'direct-care' as const,
  emergencyReason: '',
  hour: 1,
  weekday: 1,
  action: 'read' as const,
  resource: { type: 'section' as const, id: 'contacts' },
}
const ask = (text: string): string => {
  const own = `@id("own-one") @layer("central") @reason("x")\npermit (principal, action, resource) when { ${text} };`
  const { problems } = checkFiles({ ...files, 'policies/own.cedar': own }, sections, {
    withTests: false,
  })
  const first = problems.find(({ file }) => file === 'policies/own.cedar')
  if (first?.line !== undefined && !first.text.startsWith('policy own-one:'))
    return describeProblem(first)
  const engine = createPolicies({ 'policies/own.cedar': own })
  const { effect } = engine.decide(question)
  engine.close()
  return effect
}

for (const depth of depths.map(Number))
  for (const [name, shape] of Object.entries(SHAPES))
    console.log(`${name} ${depth}: ${ask(shape(depth))}`)
console.log(ask('true'))
