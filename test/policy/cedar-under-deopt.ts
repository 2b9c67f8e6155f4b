/**
 * Run by abort.test.ts in a process of its own. Makes V8 optimise a function around a Cedar call, then breaks an
 * assumption of that optimisation while Cedar is running: without `v8-flags.ts` Node 20 and 22 abort here every time.
 */
import { keepPolicySet, statefulIsAuthorized } from '../../src/policy/cedar.js'

const set = keepPolicySet({ all: 'permit (principal, action, resource);' })
const assumed = { never: 'changed' }
let whileCedarRuns = (): void => undefined
const principal = {
  type: 'User',
  get id() {
    whileCedarRuns()
    return 'u'
  },
}
const call = {
  principal,
  action: { type: 'Action', id: 'read' },
  resource: { type: 'Section', id: 'contacts' },
  context: {},
  preparsedPolicySetId: set,
  entities: [],
}
const decide = (): number => statefulIsAuthorized(call).type.length + assumed.never.length

let length = 0
for (let i = 0; i < 30_000; i++) length += decide()
whileCedarRuns = () => {
  assumed.never = 'but now'
}
length += decide()
console.log(length > 0 ? 'survived' : '')
