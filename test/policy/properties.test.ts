import { afterAll, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { PURPOSES, RUNGS } from '../../src/core/context.js'
import type { Circumstances } from '../../src/core/decision.js'
import { EMERGENCY_REASONS } from '../../src/core/emergency.js'
import { type Assurance, ROLES, type Role, USER_ROLES } from '../../src/core/roles.js'
import { createPolicies } from '../../src/policy/engine.js'
import { Problems } from '../../src/policy/problem.js'
import { APP, ask, EVERYTHING, FILES, ORDINARY, section } from './asking.js'

jest.setTimeout(60_000)

const policies = createPolicies(FILES)
afterAll(() => policies.close())

const CODES = ['B0360', 'B0370', 'B0380', 'B8028', 'B8029', 'B1611', 'B0168', 'B0001']

const circumstancesWith = (roles: fc.Arbitrary<Role[]>): fc.Arbitrary<Circumstances> =>
  fc
    .record({
      roles,
      activities: fc.subarray(CODES),
      activitySource: fc.constantFrom('listed' as const, 'baseline' as const),
      assurance: fc.constantFrom<Assurance>(1, 2, 3),
      purpose: fc.constantFrom(...PURPOSES),
      rung: fc.constantFrom(...RUNGS),
      sensitive: fc.boolean(),
      deceased: fc.boolean(),
      emergencyReason: fc.constantFrom('', ...EMERGENCY_REASONS),
    })
    .map(({ purpose, rung, sensitive, deceased, emergencyReason, ...user }) => ({
      ...ORDINARY,
      user: { ...ORDINARY.user, ...user },
      purpose,
      emergencyReason,
      launch: { ...ORDINARY.launch, rung },
      patient: { sensitive, deceased },
    }))

const anyone = circumstancesWith(fc.subarray([...ROLES]))
const reasons = fc.constantFrom(...EMERGENCY_REASONS)
const MAY_BREAK: readonly Role[] = [
  ...(['gp', 'community-nurse', 'hospice-clinician'] as const),
  ...(['urgent-care-clinician', 'hospital-clinician'] as const),
]
const somebody = circumstancesWith(fc.subarray([...USER_ROLES]))
const anything = fc.constantFrom(...EVERYTHING)
const allowed = (circumstances: Circumstances, what: (typeof EVERYTHING)[number]): boolean =>
  policies.decide(ask(circumstances, what.action, what.resource)).effect === 'allow'
const RUNS = { numRuns: 500 }

describe('whatever the circumstances', () => {
  it('a user without a role gets nothing', () => {
    fc.assert(
      fc.property(circumstancesWith(fc.constant([])), anything, (circumstances, what) => {
        expect(allowed(circumstances, what)).toBe(false)
      }),
      RUNS,
    )
  })

  it('an administrator reads neither prognosis nor resuscitation, and writes nothing but contacts', () => {
    const administrators = circumstancesWith(fc.constant(['administrator']))
    fc.assert(
      fc.property(administrators, anything, (circumstances, what) => {
        const { action, resource } = what
        const seen = ['contacts', 'communication'].includes(resource.id)
        if (resource.type === 'section' && !seen) expect(allowed(circumstances, what)).toBe(false)
        if (['create', 'update', 'delete'].includes(action) && resource.id !== 'contacts')
          expect(allowed(circumstances, what)).toBe(false)
      }),
      RUNS,
    )
  })

  it('nobody writes the plan of someone who died', () => {
    fc.assert(
      fc.property(anyone, anything, (circumstances, what) => {
        const deceased = { ...circumstances, patient: { ...circumstances.patient, deceased: true } }
        if (['create', 'update', 'delete'].includes(what.action))
          expect(allowed(deceased, what)).toBe(false)
      }),
      RUNS,
    )
  })

  it('nobody writes anything in an emergency', () => {
    fc.assert(
      fc.property(anyone, anything, reasons, (circumstances, what, emergencyReason) => {
        if (['create', 'update', 'delete'].includes(what.action))
          expect(allowed({ ...circumstances, emergencyReason }, what)).toBe(false)
      }),
      RUNS,
    )
  })

  it('a broken glass opens something only to clinicians who may break it', () => {
    const glass = { action: 'break-glass', resource: APP } as const
    fc.assert(
      fc.property(somebody, anything, reasons, (circumstances, what, emergencyReason) => {
        const broken = { ...circumstances, emergencyReason }
        // The console opens nothing of a plan, and nobody breaks a glass there.
        if (what.resource.type === 'console' || what.action === 'break-glass') return
        if (!allowed(broken, what)) return
        expect(allowed({ ...circumstances, emergencyReason: '' }, glass)).toBe(true)
        const { roles, assurance } = circumstances.user
        expect(assurance).toBeGreaterThanOrEqual(2)
        expect(roles.some((role) => MAY_BREAK.includes(role))).toBe(true)
      }),
      RUNS,
    )
  })

  it('whoever may break the glass then opens and reads the plan, whatever denied it before', () => {
    fc.assert(
      fc.property(somebody, reasons, (circumstances, emergencyReason) => {
        const plain = { ...circumstances, emergencyReason: '' }
        if (!allowed(plain, { action: 'break-glass', resource: APP })) return
        const broken = { ...circumstances, emergencyReason }
        expect(allowed(broken, { action: 'launch', resource: APP })).toBe(true)
        expect(allowed(broken, { action: 'read', resource: section('resuscitation') })).toBe(true)
      }),
      RUNS,
    )
  })

  it('nobody writes resuscitation on inferred activities', () => {
    fc.assert(
      fc.property(anyone, fc.constantFrom('create', 'update'), (circumstances, action) => {
        const inferred = {
          ...circumstances,
          user: { ...circumstances.user, activitySource: 'baseline' as const },
        }
        for (const id of ['resuscitation', 'treatment-escalation'])
          expect(allowed(inferred, { action, resource: section(id) })).toBe(false)
      }),
      RUNS,
    )
  })

  it('in hospices and hospitals nobody without B8029 writes resuscitation, whatever else they hold', () => {
    const staff = fc.constantFrom<Role[]>(['hospice-clinician'], ['hospital-clinician'])
    const writing = fc.constantFrom('create', 'update', 'delete')
    fc.assert(
      fc.property(circumstancesWith(staff), writing, (circumstances, action) => {
        const activities = circumstances.user.activities.filter((code) => code !== 'B8029')
        const nurse = { ...circumstances, user: { ...circumstances.user, activities } }
        for (const id of ['resuscitation', 'treatment-escalation'])
          expect(policies.decide(ask(nurse, action, section(id))).policies).toContain(
            'resuscitation-is-written-by-doctors',
          )
      }),
      RUNS,
    )
  })

  it('taking activities away never gives anything', () => {
    fc.assert(
      fc.property(
        anyone,
        anything,
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        (circumstances, what, keep) => {
          const activities = circumstances.user.activities.filter((_, i) => keep[i])
          const fewer = { ...circumstances, user: { ...circumstances.user, activities } }
          if (allowed(fewer, what)) expect(allowed(circumstances, what)).toBe(true)
        },
      ),
      RUNS,
    )
  })

  it('signing on more strongly never takes anything away', () => {
    fc.assert(
      fc.property(anyone, anything, (circumstances, what) => {
        const { assurance } = circumstances.user
        const more = Math.min(3, assurance + 1) as Assurance
        const stronger = { ...circumstances, user: { ...circumstances.user, assurance: more } }
        if (allowed(circumstances, what)) expect(allowed(stronger, what)).toBe(true)
      }),
      RUNS,
    )
  })

  it('what may be written may be read', () => {
    fc.assert(
      fc.property(anyone, anything, (circumstances, what) => {
        // An app that shows what it changes needs both; B0380 without B0360 is the one list that has only writing.
        if (!circumstances.user.activities.includes('B0360')) return
        if (what.action === 'update' && allowed(circumstances, what))
          expect(allowed(circumstances, { ...what, action: 'read' })).toBe(true)
      }),
      RUNS,
    )
  })

  it('a step-up is offered only where it would help, and as low as it may be', () => {
    fc.assert(
      fc.property(anyone, (circumstances) => {
        const question = ask(circumstances, 'launch', APP)
        const { user } = circumstances
        const works = ([1, 2, 3] as const).filter((assurance) =>
          allowed({ ...circumstances, user: { ...user, assurance } }, question),
        )
        const expected = works.includes(user.assurance)
          ? undefined
          : works.find((assurance) => assurance > user.assurance)
        expect(policies.stepUp(question)).toBe(expected)
      }),
      RUNS,
    )
  })
})

describe('the engine', () => {
  const own = (text: string) => ({ 'policies/own.cedar': text })
  const permit =
    '@id("may-all") @layer("central") @reason("May.") permit (principal, action, resource);'

  it('refuses where a policy fails, although another permits: Cedar skips the one that failed', () => {
    const broken = createPolicies(
      own(`${permit}
@id("must-not") @layer("central") @reason("Not.") forbid (principal, action, resource) when { context.absent };`),
    )
    const decision = broken.decide(ask(ORDINARY, 'read', section('contacts')))
    expect(decision).toMatchObject({ effect: 'deny', policies: ['must-not'], reasons: [] })
    expect(decision.errors).toEqual([expect.stringMatching(/^must-not: .*absent/)])
    expect(broken.stepUp(ask(ORDINARY, 'read', section('contacts')))).toBeUndefined()
    broken.close()
  })

  it('gives obligations once, and reasons of every policy that decided', () => {
    const engine = createPolicies(
      own(`${permit}
@id("and-mark") @layer("central") @reason("Mark.") @obligation("mark-sensitive") permit (principal, action, resource);
@id("mark-too") @layer("central") @reason("Too.") @obligation("mark-sensitive, mark-sensitive") permit (principal, action, resource);`),
      { version: 7 },
    )
    expect(engine.decide(ask(ORDINARY, 'read', section('contacts')))).toEqual({
      effect: 'allow',
      policies: ['and-mark', 'mark-too', 'may-all'],
      reasons: ['Mark.', 'Too.', 'May.'],
      obligations: ['mark-sensitive'],
      version: 7,
      errors: [],
    })
    engine.close()
  })

  it('hands out answers that nobody can change', () => {
    const decision = policies.decide(ask(ORDINARY, 'read', section('contacts')))
    expect(() => Object.assign(decision, { effect: 'allow' })).toThrow(TypeError)
    expect(() => (decision.policies as string[]).push('x')).toThrow(TypeError)
  })

  it('tells resources apart whose names are made to look like something else', () => {
    const engine = createPolicies(
      own(
        '@id("only-one") @layer("central") @reason("One.") permit (principal in Role::"gp", action, resource == Section::"contacts");',
      ),
    )
    const gp = { ...ORDINARY, user: { ...ORDINARY.user, roles: ['gp'] as const } }
    expect(engine.decide(ask(gp, 'read', section('contacts'))).effect).toBe('allow')
    for (const id of ['contacts2:gp', 'contacts ', '8:contacts', '2:gp', 'contacts|'])
      expect(engine.decide(ask(gp, 'read', section(id))).effect).toBe('deny')
    for (const id of ['contacts2:gp', 'contacts gp', '2:gp8:contacts'])
      expect(engine.decide(ask(ORDINARY, 'read', section(id))).effect).toBe('deny')
    engine.close()
  })

  it('does not mix up two engines that live side by side, or one after another', () => {
    const question = ask(ORDINARY, 'read', section('contacts'))
    const [open, shut] = [createPolicies(own(permit)), createPolicies(FILES)]
    expect([open.decide(question).effect, shut.decide(question).effect]).toEqual(['allow', 'deny'])
    open.close()
    const again = createPolicies(FILES)
    expect([shut.decide(question).effect, again.decide(question).effect]).toEqual(['deny', 'deny'])
    again.close()
    shut.close()
  })

  it.each([
    ['no @id', 'permit (principal, action, resource);'],
    ['an @id of another', `${permit}\n${permit}`],
    ['no @reason', '@id("may-all") @layer("central") permit (principal, action, resource);'],
    [
      'a layer that is not read',
      '@id("may-all") @reason("x") @layer("local") permit (principal, action, resource);',
    ],
    [
      'a slot',
      '@id("may-all") @reason("x") @layer("central") permit (principal == ?principal, action, resource);',
    ],
    ['half a policy', '@id("may-all") permit (principal, action'],
  ])('does not open with a policy that has %s', (_, text) => {
    expect(() => createPolicies(own(text))).toThrow(Problems)
  })
})
