import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { PolicyDecision, Question } from '../../src/core/decision.js'
import { domainOf, sizeOf } from '../../src/policy/domain.js'
import { createPolicies } from '../../src/policy/engine.js'
import { partsOf } from '../../src/policy/parts.js'
import { sideOf } from '../../src/policy/side.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { SUBJECTS } from '../../src/policy/subject.js'
import { CONTEXT_TYPES, PRINCIPAL_TYPES } from '../../src/policy/vocabulary.js'
import { type Walk, walkOver } from '../../src/policy/walk.js'
import { anyPolicy, questionsWith, soundPolicy, versionOf } from './arbitrary.js'
import { APP, ask, FILES, ORDINARY, ROLE_MAP, section } from './asking.js'

jest.setTimeout(60_000)

const ordinary = ask(ORDINARY, 'read', section('contacts'))
const given = { ordinary, organizationTypes: ROLE_MAP.organizationTypes }

/** Walks the cell of a question, and hands over the engine as well. */
function walking<T>(
  files: PolicyFiles,
  use: (walk: (question: Question) => Walk, decide: (question: Question) => PolicyDecision) => T,
): T {
  const engine = createPolicies(files)
  const side = sideOf(engine)
  try {
    return use(
      (question) => walkOver([side], [side.leftIn(question)], question, given),
      (question) => engine.decide(question),
    )
  } finally {
    side.close()
    engine.close()
  }
}

describe('the circumstances that policies can tell apart', () => {
  it('know every attribute of the schema by name', () => {
    const names = [
      ...Object.keys(PRINCIPAL_TYPES).map((name) => `principal.${name}`),
      ...Object.keys(CONTEXT_TYPES).map((name) => `context.${name}`),
    ]
    expect(Object.keys(SUBJECTS).sort()).toEqual(['principal', ...names].sort())
  })

  const domain = (condition: string) => {
    const text = `permit (principal, action, resource) when { ${condition} };`
    return walking(versionOf([text]), (walk) => walk(ordinary))
  }
  it.each<[string, number, boolean]>([
    ['context.hour > 17', 2, true],
    ['context.hour >= 9 && context.hour < 17', 3, true],
    ['context.purpose == "safeguarding"', 2, true],
    ['["direct-care", "emergency-care"].contains(context.purpose)', 2, true],
    ['principal.region == "north" || principal.region == "south"', 3, true],
    // Codes that always stand together are one.
    ['principal.activities.containsAny(["B0360", "B0370"])', 2, true],
    ['principal.activities.containsAll(["B0360", "B0370"])', 2, true],
    ['principal.activities.contains("B0360") || principal.activities.contains("B0370")', 4, true],
    // Two closed things compared with one another: all of both.
    ['principal.assurance < context.weekday', 21, true],
    // Two open texts: nobody can say that these are all.
    ['context.app == context.system', 4, false],
    ['context.emergencyReason like "fall*"', 3, false],
  ])('of %s are %i', (condition, size, exhaustive) => {
    const walk = domain(condition)
    expect({ size: sizeOf(walk), exhaustive: walk.exhaustive }).toEqual({ size, exhaustive })
  })

  it('are none where nothing is asked', () => {
    expect(domainOf([], given)).toEqual({ dimensions: [], clear: true })
  })
})

/** Of an error only that there is one: its words name the values. */
const told = ({ effect, policies, errors }: PolicyDecision) =>
  errors.length > 0 ? 'an error' : `${effect} by ${policies.join(' ')}`
/** What is said of the kinds. What one forbid settles is walked with it alone; others may stand beside it. */
const said = ({ kinds }: Walk) =>
  kinds.map(({ answers: [answer] }) => told(answer as PolicyDecision))

describe('a walk over a cell', () => {
  it.each([
    ['sound policies', soundPolicy],
    ['policies that may err', anyPolicy],
  ])('meets the answer to every question that can be asked there: %s', (_, policy) => {
    let exhaustive = 0
    fc.assert(
      fc.property(
        fc.array(policy, { minLength: 1, maxLength: 4 }),
        fc.array(questionsWith(1), { minLength: 6, maxLength: 10 }),
        (texts, questions) =>
          walking(
            versionOf(['permit (principal, action, resource);', ...texts]),
            (walk, decide) => {
              for (const question of questions) {
                const walked = walk(question)
                if (!walked.exhaustive) continue
                exhaustive += 1
                expect(said(walked)).toContain(told(decide(question)))
              }
            },
          ),
      ),
      { numRuns: 150 },
    )
    expect(exhaustive).toBeGreaterThan(100)
  })

  it('meets every answer of the shipped policies, and knows that these are all', () => {
    walking(FILES, (walk, decide) => {
      fc.assert(
        fc.property(questionsWith(1), (question) => {
          const walked = walk(question)
          expect(walked.exhaustive).toBe(true)
          expect(said(walked)).toContain(told(decide(question)))
        }),
        { numRuns: 300 },
      )
    })
  })

  it('asks by samples where there are too many, and says so', () => {
    const many = `permit (principal, action, resource) when {
      context.hour > context.weekday && principal.assurance < context.weekday && context.patientSensitive &&
      context.patientDeceased && ["a", "b", "c", "d", "e"].contains(principal.region) &&
      ["a", "b", "c", "d", "e"].contains(principal.organization) &&
      (principal.region == "a" || principal.region == "b" || principal.organization == "c" || context.purpose == "x" ||
       context.rung == context.purpose || principal.organization == "a" || principal.region == "d") };`
    const walk = walking(versionOf([many]), (each) => each(ask(ORDINARY, 'launch', APP)))
    expect(walk.exhaustive).toBe(false)
    expect(walk.kindOf.length).toBe(20_000)
  })
})

describe('a cell in parts', () => {
  /** What is said in all parts, and whether these are all circumstances. With more parts than that, not all are looked at. */
  const partsSaid = (files: PolicyFiles, question: Question, most: number, mostParts = 5_000) => {
    const engine = createPolicies(files)
    const side = sideOf(engine)
    try {
      const cell = { sides: [side], lefts: [side.leftIn(question)], question, given, most }
      const answers = new Set<string>()
      let [whole, parts] = [true, 0]
      for (const part of partsOf(cell)) {
        whole &&= part.exhaustive && parts < mostParts
        if (!whole) break
        parts += 1
        for (const answer of said(part)) answers.add(answer)
      }
      return { answers, whole, parts }
    } finally {
      side.close()
      engine.close()
    }
  }

  it.each([
    ['sound policies', soundPolicy],
    ['policies that may err', anyPolicy],
  ])('meets the answer to every question that can be asked there: %s', (_, policy) => {
    let [whole, several] = [0, 0]
    const base = 'permit (principal, action, resource);'
    const look = () =>
      fc.assert(
        fc.property(
          fc.array(policy, { minLength: 1, maxLength: 4 }),
          fc.array(questionsWith(1), { minLength: 4, maxLength: 6 }),
          fc.constantFrom(1, 3, 20),
          (texts, questions, most) => {
            const files = versionOf([base, ...texts])
            const engine = createPolicies(files)
            for (const question of questions) {
              // By chance there are tens of thousands, at a millisecond each.
              const found = partsSaid(files, question, most, 300)
              if (!found.whole) continue
              whole += 1
              several += Number(found.parts > 1)
              expect([...found.answers]).toContain(told(engine.decide(question)))
            }
            engine.close()
          },
        ),
        { numRuns: 80 },
      )
    // Cells that fall into parts come by chance: until there were some, and not for ever.
    for (let rounds = 0; rounds < 10 && several <= 5; rounds++) look()
    expect(whole).toBeGreaterThan(100)
    expect(several).toBeGreaterThan(5)
  })

  const codes = Array.from({ length: 12 }, (_, i) => `B10${i + 10}`)
  const holds = (all: readonly string[]) =>
    all.map((code) => `principal.activities.contains("${code}")`)
  const set = (all: readonly string[]) => JSON.stringify(all)

  it('meets every list of a dozen activities, however they are asked about', () => {
    fc.assert(
      fc.property(
        fc.subarray(codes, { minLength: 1, maxLength: 11 }),
        fc.constantFrom(true, false),
        (own, isPlain) => {
          const others = codes.filter((code) => !own.includes(code))
          const exactly = isPlain
            ? [...holds(own), ...holds(others).map((one) => `!${one}`)]
            : [
                `principal.activities.containsAll(${set(own)})`,
                `${set(own)}.containsAll(principal.activities)`,
              ]
          const text = `permit (principal, action, resource) when { ${exactly.join(' && ')} };`
          const found = partsSaid(versionOf([text]), ordinary, 50_000)
          expect([...found.answers]).toContain('allow by policy-0')
          expect(found.whole).toBe(true)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('does not call whole what a pattern may hide', () => {
    const text =
      'permit (principal, action, resource) when { principal.organization like "Z*9" && context.hour > 3 };'
    expect(partsSaid(versionOf([text]), ordinary, 1).whole).toBe(false)
  })
})
