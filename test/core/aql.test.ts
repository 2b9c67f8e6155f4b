import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readAql } from '../../src/core/aql/grammar.js'
import { type Bounds, bindAql } from '../../src/core/aql/judge.js'
import { Refusal } from '../../src/core/refusal.js'
import { readAdHoc } from '../../src/core/stored-query.js'
import { accessOf } from '../proxy/world.js'

const OWN = 'b1f6d8a2-0c94-4e37-8f5a-6d2e9c71b401'
const THEIRS = 'c2f6d8a2-0c94-4e37-8f5a-6d2e9c71b402'
const bounds = (more: Partial<Bounds> = {}): Bounds => ({
  ...{ ehrId: OWN, templates: ['care-plan::contacts.v1'] },
  values: new Map([['ehr_id', OWN]]),
  ...more,
})
const bind = (aql: string, more?: Partial<Bounds>) => bindAql(readAql(aql), bounds(more))
const refused = (code: string) =>
  expect.objectContaining({ name: 'Refusal', code }) as unknown as Error

const EHR = `EHR e[ehr_id/value='${OWN}']`
const OPEN = "c/archetype_details/template_id/value matches {'care-plan::contacts.v1'}"
const PROOF = 'e/ehr_id/value AS gw_ehr, c/archetype_details/template_id/value AS gw_template_0'

describe('a query that is held to the token’s EHR', () => {
  it.each([
    [
      'SELECT c FROM EHR e CONTAINS COMPOSITION c',
      `SELECT c, ${PROOF} FROM ${EHR} CONTAINS COMPOSITION c WHERE ${OPEN} LIMIT 100`,
    ],
    [
      `select c/uid/value as uid from EHR e[ehr_id/value = $ehr_id] contains composition c limit 5 offset 10`,
      `SELECT c/uid/value AS uid, ${PROOF} FROM ${EHR} CONTAINS COMPOSITION c WHERE ${OPEN} LIMIT 5 OFFSET 10`,
    ],
    [
      `SELECT o/data[at0001]/items[at0002, 'Name']/value/value AS v -- its value
       FROM EHR e[ehr_id/value="${OWN.toUpperCase()}"] CONTAINS COMPOSITION c[openEHR-EHR-COMPOSITION.care_plan.v0]
         CONTAINS (SECTION s CONTAINS EVALUATION o[$node] AND CLUSTER k)
       WHERE o/data[at0001]/items[at0003]/value/magnitude >= -1.5e2 OR NOT EXISTS k/items AND o/x LIKE 'a*'
       ORDER BY c/context/start_time DESC, v2/x`,
      undefined,
    ],
    [
      `SELECT o/data[at0001]/items[at0002, 'Name']/value/value AS v -- its value
       FROM EHR e[ehr_id/value="${OWN.toUpperCase()}"] CONTAINS COMPOSITION c[openEHR-EHR-COMPOSITION.care_plan.v0]
         CONTAINS (SECTION s CONTAINS EVALUATION o[$node] AND CLUSTER k)
       WHERE o/data[at0001]/items[at0003]/value/magnitude >= -1.5e2 OR NOT EXISTS k/items AND o/x LIKE 'a*'
       ORDER BY c/context/start_time DESC`,
      [
        `SELECT o/data[at0001]/items[at0002, 'Name']/value/value AS v, ${PROOF} FROM ${EHR}`,
        'CONTAINS COMPOSITION c[openEHR-EHR-COMPOSITION.care_plan.v0]',
        'CONTAINS SECTION s CONTAINS (EVALUATION o[openEHR-EHR-EVALUATION.x.v1] AND CLUSTER k)',
        `WHERE (${OPEN} AND (o/data[at0001]/items[at0003]/value/magnitude >= -1.5e2 OR`,
        "(NOT (EXISTS k/items) AND o/x LIKE 'a*'))) ORDER BY c/context/start_time DESC LIMIT 100",
      ].join(' '),
    ],
  ])('is written anew: %s', (aql, written) => {
    const values = new Map([
      ['ehr_id', OWN],
      ['node', 'openEHR-EHR-EVALUATION.x.v1'],
    ])
    if (written === undefined)
      expect(() => bind(aql, { values })).toThrow(refused('parameter_invalid'))
    else expect(bind(aql, { values }).aql).toBe(written)
  })

  it('names what the client did not, and counts what each row proves', () => {
    const { aql, compositions, columns } = bind(
      'SELECT a/uid/value, 1 FROM EHR CONTAINS (COMPOSITION a AND COMPOSITION)',
    )
    expect([compositions, columns]).toEqual([2, 2])
    expect(aql).toContain(
      `FROM EHR gw_e[ehr_id/value='${OWN}'] CONTAINS (COMPOSITION a AND COMPOSITION gw_c1)`,
    )
    expect(aql).toContain('gw_c1/archetype_details/template_id/value AS gw_template_1')
  })

  it('has its parameters written in their places, and never as anything but a value', () => {
    const ask = (value: string | number | boolean) =>
      bind('SELECT c FROM EHR e CONTAINS COMPOSITION c WHERE c/x = $p', {
        values: new Map([['p', value]]),
      }).aql
    expect(ask("O'Brien")).toContain('c/x = "O\'Brien"')
    expect(ask(1.5)).toContain('c/x = 1.5')
    expect(ask(true)).toContain('c/x = true')
    for (const value of [`'"`, 'a\\', 'a\nb', '\u2028', Number.NaN])
      expect(() => ask(value)).toThrow(refused('parameter_invalid'))
    expect(() => bind('SELECT c FROM EHR e CONTAINS COMPOSITION c WHERE c/x = $q')).toThrow(
      refused('parameter_invalid'),
    )
  })

  it('is paged within bounds, in one way at a time', () => {
    const all = 'SELECT c FROM EHR e CONTAINS COMPOSITION c'
    expect(bind(all, { fetch: 7, offset: 3 }).aql).toMatch(/LIMIT 7 OFFSET 3$/)
    for (const run of [
      () => bind(`${all} LIMIT 1001`),
      () => bind(`${all} LIMIT 0`),
      () => bind(`${all} OFFSET 5`),
      () => bind(`${all} LIMIT 5`, { fetch: 5 }),
      () => bind(all, { fetch: 5_000 }),
    ])
      expect(run).toThrow(refused('parameter_invalid'))
  })

  it('asks of nothing that may not be read, and of nothing at all where nothing may', () => {
    const run = () => bind('SELECT c FROM EHR e CONTAINS COMPOSITION c', { templates: [] })
    expect(run).toThrow(refused('record_absent'))
  })
})

const FROM = 'FROM EHR e CONTAINS COMPOSITION c'
describe('a query that reaches further', () => {
  it.each([
    ['another EHR', `SELECT c FROM EHR e[ehr_id/value='${THEIRS}'] CONTAINS COMPOSITION c`],
    ['another EHR by a parameter', 'SELECT c FROM EHR e[ehr_id/value=$p] CONTAINS COMPOSITION c'],
  ])('for %s is answered as what is not there', (_, aql) => {
    const values = new Map([['p', THEIRS]])
    expect(() => bind(aql, { values })).toThrow(refused('record_other_patient'))
  })

  it.each([
    [
      'one EHR or another',
      `SELECT c FROM EHR e[ehr_id/value='${OWN}' OR ehr_id/value='${THEIRS}'] CONTAINS COMPOSITION c`,
    ],
    [
      'an EHR and more',
      `SELECT c FROM EHR e[ehr_id/value='${OWN}' AND system_id/value='x'] CONTAINS COMPOSITION c`,
    ],
    ['any EHR but one', `SELECT c FROM EHR e[ehr_id/value!='${THEIRS}'] CONTAINS COMPOSITION c`],
    [
      'an EHR by another path',
      `SELECT c FROM EHR e[ehr_status/subject/external_ref/id/value='9990000069'] CONTAINS COMPOSITION c`,
    ],
    ['an EHR by a node', 'SELECT c FROM EHR e[at0001] CONTAINS COMPOSITION c'],
    ['an EHR by a number', 'SELECT c FROM EHR e[ehr_id/value=1] CONTAINS COMPOSITION c'],
    [
      'an EHR by a path of its own',
      'SELECT c FROM EHR e[ehr_id/value=at0001] CONTAINS COMPOSITION c',
    ],
    ['two EHRs', 'SELECT c FROM EHR e CONTAINS COMPOSITION c AND EHR f'],
    [
      'two EHRs, of which one holds the other',
      'SELECT c FROM EHR e CONTAINS EHR f CONTAINS COMPOSITION c',
    ],
    ['an EHR in an EHR’s composition', `SELECT c ${FROM} CONTAINS EHR f`],
    ['an EHR or nothing', 'SELECT c FROM EHR e CONTAINS COMPOSITION c OR COMPOSITION d'],
    [
      'an EHR beside what hangs from none',
      'SELECT d FROM (EHR e CONTAINS COMPOSITION c) AND COMPOSITION d',
    ],
    ['no EHR', 'SELECT c FROM COMPOSITION c'],
    ['the EHR alone', 'SELECT e/ehr_id/value FROM EHR e'],
    ['what an EHR does not hold', 'SELECT e/ehr_id/value FROM EHR e NOT CONTAINS COMPOSITION c'],
    ['what a composition does not hold', `SELECT c ${FROM} NOT CONTAINS OBSERVATION o`],
    [
      'one thing or another in a composition',
      `SELECT c ${FROM} CONTAINS (OBSERVATION o OR CLUSTER k)`,
    ],
    ['content of no composition', 'SELECT o FROM EHR e CONTAINS OBSERVATION o'],
    ['a composition in a composition', `SELECT c ${FROM} CONTAINS COMPOSITION d`],
    ['versions', 'SELECT c FROM EHR e CONTAINS VERSION v[ALL_VERSIONS] CONTAINS COMPOSITION c'],
    [
      'the last version',
      'SELECT c FROM EHR e CONTAINS VERSION v[LATEST_VERSION] CONTAINS COMPOSITION c',
    ],
    [
      'versions by who made them',
      "SELECT c FROM EHR e CONTAINS VERSION v[commit_audit/x='a'] CONTAINS COMPOSITION c",
    ],
    ['a status', 'SELECT s FROM EHR e CONTAINS EHR_STATUS s'],
    ['folders', 'SELECT f FROM EHR e CONTAINS FOLDER f CONTAINS COMPOSITION c'],
    ['people', 'SELECT p FROM PERSON p'],
    ['the whole EHR', `SELECT e ${FROM}`],
    ['the EHR’s status', `SELECT e/ehr_status ${FROM}`],
    ['the EHR’s compositions', `SELECT e/compositions ${FROM}`],
    ['the EHR’s id behind a bracket', `SELECT e/ehr_id[at0001]/value ${FROM}`],
    [
      'the EHR’s status in a condition',
      `SELECT c ${FROM} WHERE e/ehr_status/subject/external_ref/id/value = '9990000069'`,
    ],
    ['the EHR’s status in an order', `SELECT c ${FROM} ORDER BY e/ehr_status/uid/value`],
    ['a variable of nobody', `SELECT x/a ${FROM}`],
    ['a variable of nobody in a condition', `SELECT c ${FROM} WHERE x/a = 1`],
    ['a variable of nobody in a function', `SELECT c ${FROM} WHERE LENGTH(x/a) = 1`],
    ['a variable twice', 'SELECT c FROM EHR c CONTAINS COMPOSITION C'],
    ['a variable of ours', 'SELECT gw_e/a FROM EHR e CONTAINS COMPOSITION gw_e'],
    ['a column of ours', `SELECT c/a AS gw_ehr ${FROM}`],
    ['a column twice', `SELECT c/a AS x, c/b AS X ${FROM}`],
    ['a column in a composition’s name', `SELECT c/a AS C ${FROM}`],
    ['a column in the EHR’s name', `SELECT c/a AS e ${FROM}`],
    ['how many there are', `SELECT COUNT(c) ${FROM}`],
    ['how many there are at all', `SELECT COUNT(*) ${FROM}`],
    ['the largest', `SELECT MAX(c/a) ${FROM}`],
    ['what differs', `SELECT DISTINCT c/a ${FROM}`],
    ['the first of them', `SELECT TOP 5 c ${FROM}`],
    [
      'a terminology server',
      `SELECT c ${FROM} WHERE c/a matches TERMINOLOGY('expand','hl7.org/fhir/4.0','http://x')`,
    ],
    [
      'a terminology server in a list',
      `SELECT c ${FROM} WHERE c/a matches {TERMINOLOGY('a','b','c')}`,
    ],
    ['an address', `SELECT c ${FROM} WHERE c/a matches {terminology://x}`],
    ['a pattern', `SELECT c ${FROM} CONTAINS OBSERVATION o[a/b matches {/(a+)+b/}]`],
    ['a function of the server', `SELECT sleep(5) ${FROM}`],
    ['two queries', `SELECT c ${FROM}; SELECT c ${FROM}`],
    ['a union', `SELECT c ${FROM} UNION SELECT c ${FROM}`],
    ['a query in a query', `SELECT c ${FROM} WHERE c/a = (SELECT c ${FROM})`],
    [
      'a condition behind a comment',
      `SELECT c FROM EHR e[ehr_id/value='${OWN}' -- x\n OR ehr_id/value!='x'] CONTAINS COMPOSITION c`,
    ],
    ['a comment that is none', `SELECT c ${FROM} --x`],
    ['a comment of another language', `SELECT c /* x */ ${FROM}`],
    ['a string that does not end', `SELECT c ${FROM} WHERE c/a = 'x`],
    ['a string with an escape at its end', `SELECT c ${FROM} WHERE c/a = 'x\\' OR c/b = 'y'`],
    ['a string with a backslash', `SELECT c ${FROM} WHERE c/a = 'x\\\\'`],
    ['letters that look like others', `SELECT с ${FROM}`],
    ['a null character', `SELECT c\u0000 ${FROM}`],
    ['very deep parentheses', `SELECT c ${FROM} WHERE ${'('.repeat(40)}c/a=1${')'.repeat(40)}`],
    ['very deep contents', `SELECT c ${FROM}${' CONTAINS CLUSTER'.repeat(40)}`],
    ['very many words', `SELECT ${'c/a,'.repeat(900)}c/a ${FROM}`],
    ['a very long text', `SELECT c ${FROM} -- ${'x'.repeat(10_000)}`],
    [
      'too many compositions',
      `SELECT c FROM EHR e CONTAINS (COMPOSITION c${' AND COMPOSITION'.repeat(5)})`,
    ],
    ['nothing', ''],
    ['something else', 'DELETE FROM EHR e'],
  ])('for %s is refused', (_, aql) => {
    expect(() => bind(aql)).toThrow(refused('parameter_invalid'))
  })
})

/** What stands outside of strings: the only part that decides whom a query is about. */
const bare = (aql: string) =>
  aql.replace(/'[^']*'|"[^"]*"/g, (text) => (text.includes(OWN) ? 'OWN' : 'S'))

function expectBound(aql: string): void {
  const outside = bare(aql)
  expect(outside.match(/(?<!-)\bEHR\b(?!-)/g)).toHaveLength(1)
  expect(outside).toMatch(/ FROM EHR \w+\[ehr_id\/value=OWN\] CONTAINS /)
  expect(outside).not.toMatch(
    /\$|--|;|\bVERSION\b|\bNOT CONTAINS\b|\bTERMINOLOGY\b|\bCOUNT\(|\bDISTINCT\b/,
  )
  expect(outside).toMatch(/ AS gw_ehr, \w+\/archetype_details\/template_id\/value AS gw_template_0/)
  expect(Number(/ LIMIT (\d+)/.exec(outside)?.[1])).toBeLessThanOrEqual(1_000)
  // Whoever reads it by the same grammar reads the same.
  const again = readAql(aql)
  const { from } = again
  expect(from).toMatchObject({ kind: 'class', type: 'EHR', contains: { not: false } })
}

describe('whatever is accepted', () => {
  const value = fc.constantFrom(
    ...["'x'", `'${OWN}'`, `'${THEIRS}'`, '1', '-2.5', 'true', 'NULL', '$ehr_id', '$p', 'at0001'],
    ...["'a''b'", `"it's"`, "'x' OR e/ehr_id/value != 'y'"],
  )
  const variable = fc.constantFrom('e', 'c', 'o', 'x', 'gw_e')
  const path = fc
    .tuple(
      variable,
      fc.array(fc.constantFrom('ehr_id', 'value', 'data[at0001]', 'uid', 'items[at0002, $p]'), {
        maxLength: 3,
      }),
    )
    .map(([name, steps]) => [name, ...steps].join('/'))
  const compare = fc
    .tuple(path, fc.constantFrom('=', '!=', '>', 'LIKE', 'matches'), value)
    .map(
      ([left, operator, right]) =>
        `${left} ${operator} ${operator === 'matches' ? `{${right}}` : right}`,
    )
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      compare,
      path.map((one) => `EXISTS ${one}`),
      fc
        .tuple(tie('condition'), fc.constantFrom('AND', 'OR'), tie('condition'))
        .map((all) => all.join(' ')),
      tie('condition').map((one) => `NOT (${one})`),
    ),
  }))
  const bracket = fc.oneof(
    fc.constant(''),
    value.map((one) => `[ehr_id/value=${one}]`),
    fc.constantFrom('[at0001]', '[openEHR-EHR-OBSERVATION.x.v1]', `[ehr_id/value='${OWN}' OR a=1]`),
  )
  const { contained } = fc.letrec<{ contained: string }>((tie) => ({
    contained: fc.oneof(
      { maxDepth: 3 },
      fc
        .tuple(
          fc.constantFrom('COMPOSITION', 'OBSERVATION', 'EHR', 'VERSION', 'CLUSTER', 'FOLDER'),
          fc.constantFrom('', ' c', ' o', ' d'),
          bracket,
        )
        .map((all) => all.join('')),
      fc
        .tuple(
          tie('contained'),
          fc.constantFrom(' AND ', ' OR ', ' CONTAINS ', ' NOT CONTAINS '),
          tie('contained'),
        )
        .map((all) => all.join('')),
      tie('contained').map((one) => `(${one})`),
    ),
  }))
  const query = fc
    .record({
      columns: fc.array(
        fc.oneof(
          path,
          value,
          path.map((one) => `COUNT(${one})`),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      from: fc.oneof(
        fc.tuple(bracket, contained).map(([one, inner]) => `EHR e${one} CONTAINS ${inner}`),
        bracket.map((one) => `EHR e${one} CONTAINS COMPOSITION c CONTAINS OBSERVATION o`),
        contained,
      ),
      where: fc.option(condition),
      tail: fc.constantFrom(
        '',
        ' ORDER BY c/a',
        ' LIMIT 5',
        ' LIMIT 5000',
        ' LIMIT 5 OFFSET 2',
        ' -- x',
        '; SELECT',
      ),
    })
    .map(
      ({ columns, from, where, tail }) =>
        `SELECT ${columns.join(', ')} FROM ${from}${where === null ? '' : ` WHERE ${where}`}${tail}`,
    )
  /** Mostly right: what is wrong with it, if anything, is in one place. */
  const sound = fc
    .record({
      column: fc.constantFrom('c', 'c/uid/value', 'o/data[at0001]/value', 'e/ehr_id/value', "'x'"),
      bracket: fc.constantFrom('', `[ehr_id/value='${OWN}']`, '[ehr_id/value=$ehr_id]'),
      inner: fc.constantFrom(
        'COMPOSITION c CONTAINS OBSERVATION o',
        '(COMPOSITION c CONTAINS (OBSERVATION o AND CLUSTER k) AND COMPOSITION d)',
      ),
      where: fc.option(fc.oneof(compare, condition)),
      tail: fc.constantFrom('', ' ORDER BY c/a', ' LIMIT 5', ' LIMIT 5 OFFSET 2', ' -- x'),
    })
    .map(
      ({ column, bracket: one, inner, where, tail }) =>
        `SELECT ${column} FROM EHR e${one} CONTAINS ${inner}${where === null ? '' : ` WHERE ${where}`}${tail}`,
    )
  const mutated = fc
    .tuple(
      fc.oneof(query, sound),
      fc.nat(),
      fc.constantFrom(
        '',
        "'",
        '"',
        '\\',
        '--',
        '\n',
        ')',
        '(',
        ']',
        ' OR ',
        'EHR ',
        '$p',
        '/',
        '\u0000',
        ',',
      ),
    )
    .map(
      ([text, at, more]) =>
        `${text.slice(0, at % text.length)}${more}${text.slice(at % text.length)}`,
    )

  it('is about the token’s EHR alone, and is read again as what was judged', () => {
    let accepted = 0
    const values = new Map<string, string>([
      ['ehr_id', OWN],
      ['p', "x' OR 'a'='a"],
    ])
    fc.assert(
      fc.property(fc.oneof(query, mutated, sound), (aql) => {
        let written: string
        try {
          written = bind(aql, { values }).aql
        } catch (error) {
          if (error instanceof Refusal) return
          throw error
        }
        accepted += 1
        expectBound(written)
      }),
      { numRuns: 5_000 },
    )
    // It was not only refused.
    expect(accepted).toBeGreaterThan(100)
  })

  it('ends in an answer or a refusal, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        for (const aql of [text, `SELECT c ${FROM} WHERE c/a = ${text}`])
          try {
            expectBound(bind(aql).aql)
          } catch (error) {
            if (!(error instanceof Refusal)) throw error
          }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the parameters of a query', () => {
  it('are counted before any of them is looked at', () => {
    const many = (value: unknown) =>
      Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`-${at}`, value]))
    for (const value of [1, null])
      expect(() => readAdHoc(accessOf(), { q: 'x', query_parameters: many(value) })).toThrow(
        expect.objectContaining({ detail: 'query_parameters' }) as unknown as Error,
      )
  })
})
