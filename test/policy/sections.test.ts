import { afterAll, describe, expect, it } from '@jest/globals'
import type { Action, Circumstances } from '../../src/core/decision.js'
import { createPolicies } from '../../src/policy/engine.js'
import { APP, ask, circumstancesFor, FILES, PEOPLE, personOfDemo, section } from './asking.js'

const policies = createPolicies(FILES, { version: 1 })
afterAll(() => policies.close())

const LETTERS: readonly [string, Action][] = [
  ['c', 'create'],
  ['r', 'read'],
  ['u', 'update'],
  ['d', 'delete'],
  ['s', 'search'],
]
const lettersFor = (circumstances: Circumstances, id: string): string =>
  LETTERS.filter(
    ([, action]) => policies.decide(ask(circumstances, action, section(id))).effect === 'allow',
  )
    .map(([letter]) => letter)
    .join('') || '-'

// biome-ignore format: a table
const PLAN = `
                     | gp   | practice-nurse | district-nurse | hospice-consultant | paramedic | call-handler | receptionist | social-worker | no-role |
resuscitation        | crus | rs             | rs             | crus               | rs        | rs           | -            | rs            | -       |
treatment-escalation | crus | rs             | rs             | crus               | rs        | rs           | -            | rs            | -       |
legal                | crus | rs             | rs             | crus               | rs        | rs           | -            | rs            | -       |
medication           | crus | crus           | crus           | crus               | rs        | rs           | -            | rs            | -       |
symptoms             | crus | crus           | crus           | crus               | rs        | -            | -            | rs            | -       |
prognosis            | crus | rs             | rs             | crus               | rs        | -            | -            | -             | -       |
functional-status    | crus | crus           | crus           | crus               | rs        | -            | -            | rs            | -       |
consent              | crus | crus           | crus           | crus               | rs        | -            | -            | rs            | -       |
personal             | crus | crus           | crus           | crus               | rs        | -            | -            | crus          | -       |
contacts             | crus | crus           | crus           | crus               | rs        | rs           | crus         | crus          | -       |
communication        | crus | crus           | crus           | crus               | rs        | rs           | rs           | crus          | -       |
what-matters         | crus | crus           | crus           | crus               | rs        | -            | -            | crus          | -       |
thinking-ahead       | crus | crus           | crus           | crus               | rs        | -            | -            | rs            | -       |
daily-support        | crus | crus           | crus           | crus               | rs        | -            | -            | crus          | -       |
sickle-cell          | crus | rs             | rs             | crus               | rs        | rs           | -            | rs            | -       |
`
const [head = [], ...rows] = PLAN.trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
const people = head.slice(1, -1)
const CELLS = rows.flatMap(([id = '', ...cells]) =>
  people.map((person, i) => ({ person, id, letters: cells[i] ?? '' })),
)

describe('what a person of the demonstration may do with a section of the plan', () => {
  it('is told for every person and every section', () => {
    expect([...people].sort()).toEqual(PEOPLE.map(({ id }) => id).sort())
    expect(CELLS).toHaveLength(135)
  })

  it.each(CELLS)('$person on $id: $letters', ({ person, id, letters }) => {
    expect(lettersFor(circumstancesFor(personOfDemo(person)), id)).toBe(letters)
  })
})

describe('opening the plan', () => {
  // biome-ignore format: a table
  it.each([
    ['gp',                 'allow', 'clinicians-open-the-plan'],
    ['practice-nurse',     'allow', 'clinicians-open-the-plan'],
    ['district-nurse',     'allow', 'clinicians-open-the-plan'],
    ['hospice-consultant', 'allow', 'clinicians-open-the-plan'],
    ['paramedic',          'allow', 'clinicians-open-the-plan'],
    ['call-handler',       'allow', 'care-team-opens-the-plan'],
    ['receptionist',       'allow', 'care-team-opens-the-plan'],
    ['social-worker',      'allow', 'care-team-opens-the-plan'],
    ['no-role',            'deny',  'no-role-no-access'],
  ])('%s: %s by %s', (person, effect, by) => {
    const decision = policies.decide(ask(circumstancesFor(personOfDemo(person)), 'launch', APP))
    expect(decision).toMatchObject({ effect, policies: [by], obligations: [], errors: [], version: 1 })
    expect(decision.reasons).toHaveLength(1)
  })
})

describe('a sensitive record', () => {
  const sensitive = { patient: { sensitive: true, deceased: false } }
  const launch = (person: string, assurance: 1 | 2 | 3) =>
    ask(circumstancesFor(personOfDemo(person, assurance), sensitive), 'launch', APP)

  it('opens to the GP only after the GP stepped up to a strong sign-on, and is marked', () => {
    expect(policies.decide(launch('gp', 2))).toMatchObject({
      effect: 'deny',
      policies: ['sensitive-records-need-more'],
    })
    expect(policies.stepUp(launch('gp', 1))).toBe(3)
    expect(policies.stepUp(launch('gp', 2))).toBe(3)
    expect(policies.decide(launch('gp', 3))).toMatchObject({
      effect: 'allow',
      obligations: ['mark-sensitive'],
    })
    expect(policies.stepUp(launch('gp', 3))).toBeUndefined()
  })

  it('never opens to the receptionist, however strongly signed on', () => {
    for (const assurance of [1, 2, 3] as const) {
      expect(policies.decide(launch('receptionist', assurance)).effect).toBe('deny')
      expect(policies.stepUp(launch('receptionist', assurance))).toBeUndefined()
    }
  })
})

describe('a sealed launch', () => {
  it('asks the user to sign on with assurance 2, and then opens', () => {
    const sealed = (assurance: 1 | 2) =>
      ask(
        circumstancesFor(personOfDemo('gp', assurance), {
          launch: { rung: 'sealed', system: 'gp-sealed', app: 'care-plan' },
        }),
        'launch',
        APP,
      )
    expect(policies.decide(sealed(1)).policies).toEqual(['a-sealed-launch-needs-a-sign-on'])
    expect(policies.stepUp(sealed(1))).toBe(2)
    expect(policies.decide(sealed(2)).effect).toBe('allow')
  })
})
