/**
 * Run by abort.test.ts in a process of its own: decisions of every kind behind an HTTP server, none of them remembered,
 * so that each goes through Cedar. Prints how many were answered.
 */
import { Agent, createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Action, Circumstances, Resource } from '../../src/core/decision.js'
import { ask } from '../../src/core/question.js'
import { ROLES } from '../../src/core/roles.js'
import { createPolicies } from '../../src/policy/engine.js'
import { placesIn, readSections, readSource } from '../../src/policy/source.js'

const [config = '', wanted = '0'] = process.argv.slice(2)
const places = placesIn(config)
const sections = await readSections(places.plan)
const policies = createPolicies(await readSource(places), { remember: 0 })

const EACH = 10
const IN_FLIGHT = 8
const ACTIONS: readonly Action[] = ['read', 'update', 'search', 'create']

const circumstances = (n: number): Circumstances => ({
  user: {
    id: `u${n}`,
    roles: [ROLES[n % ROLES.length] ?? 'gp'],
    activities: n % 3 === 0 ? ['B0370'] : ['B0360', 'B0380'],
    activitySource: n % 5 === 0 ? 'baseline' : 'listed',
    assurance: n % 2 === 0 ? 2 : 3,
    organization: { odsCode: 'A83001', type: 'gp-practice', region: '' },
  },
  patient: { sensitive: n % 7 === 0, deceased: n % 11 === 0 },
  launch: { rung: n % 4 === 0 ? 'sealed' : 'pushed', system: 's', app: 'care-plan' },
  purpose: n % 13 === 0 ? 'administration' : 'direct-care',
  emergencyReason: '',
  hour: n % 24,
  weekday: 1,
})

let asked = 0
const server = createServer((_, res) => {
  const body: string[] = []
  for (let i = 0; i < EACH; i++) {
    const n = asked++
    const resource: Resource =
      n % 9 === 0
        ? { type: 'fhir', id: 'Patient' }
        : { type: 'section', id: sections[n % sections.length] ?? '' }
    const action = ACTIONS[(n >> 2) % ACTIONS.length] ?? 'read'
    const { effect, policies: by } = policies.decide(ask(circumstances(n), action, resource))
    body.push(`${effect} ${by.join()}`)
  }
  res.end(body.join('\n'))
})

const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT })
const call = (port: number): Promise<void> =>
  new Promise((done, fail) => {
    get({ host: '127.0.0.1', port, agent }, (res) => res.resume().on('end', done)).on('error', fail)
  })

server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo
  const client = async (): Promise<void> => {
    while (asked < Number(wanted)) await call(port)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, client))
  console.log(`answered ${asked}`)
  agent.destroy()
  server.close()
})
