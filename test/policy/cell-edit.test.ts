import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ask } from '../../src/core/question.js'
import { ROLES, type Role } from '../../src/core/roles.js'
import { plainText } from '../../src/core/text.js'
import { type CellChange, editCell } from '../../src/policy/cell-edit.js'
import { checkFiles } from '../../src/policy/check.js'
import { createPolicies } from '../../src/policy/engine.js'
import { parsePolicies } from '../../src/policy/parse.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { EVERYTHING, FILES, ORDINARY, SECTIONS, section } from './asking.js'

const change = (over: Partial<CellChange> = {}): CellChange => ({
  role: 'community-nurse',
  actions: ['create', 'update'],
  resource: section('prognosis'),
  wanted: 'allow',
  reason: 'Community nurses may write down what they learn about the prognosis.',
  layer: 'central',
  ...over,
})

function answers(files: PolicyFiles, role: Role, over: Partial<typeof ORDINARY> = {}) {
  const policies = createPolicies(files, { remember: 0 })
  const user = { ...ORDINARY.user, roles: [role], activities: ['B0360', 'B0380'], ...over.user }
  const said = EVERYTHING.map(({ action, resource }) => ({
    what: `${action} ${resource.type}/${resource.id}`,
    effect: policies.decide(ask({ ...ORDINARY, ...over, user }, action, resource)).effect,
  }))
  policies.close()
  return new Map(said.map(({ what, effect }) => [what, effect]))
}
const differing = (a: Map<string, string>, b: Map<string, string>) =>
  [...a].filter(([what, effect]) => b.get(what) !== effect).map(([what]) => what)

describe('a cell that is allowed', () => {
  const { files, written } = editCell(
    FILES,
    change({ when: { purposes: ['direct-care'], assurance: 2 } }),
  )

  it('is a policy as a person would have written it, in the file of its kind', () => {
    expect(written).toEqual(['community-nurse-writes-prognosis'])
    expect(files['policies/writing.cedar']).toContain(`@id("community-nurse-writes-prognosis")
@layer("central")
@reason("Community nurses may write down what they learn about the prognosis.")
permit (
    principal in Role::"community-nurse",
    action in [Action::"create", Action::"update"],
    resource == Section::"prognosis"
)
when { context.purpose == "direct-care" && principal.assurance >= 2 };
`)
  })

  it('takes any reason that a person types, cut where it is cut', () => {
    for (const reason of ['She said “no”.\\', 'a"b\n// c', '*/ @id("x")', `${'x'.repeat(499)}😀`]) {
      const { files, written } = editCell(FILES, change({ reason: plainText(reason, 500) }))
      const { policies, problems } = parsePolicies(files)
      expect(problems).toEqual([])
      const found = policies.find(({ id }) => id === written[0])
      expect(found?.reason).toBe(plainText(reason, 500))
    }
  })

  it('passes every check that a published version passes', () => {
    expect(checkFiles(files, SECTIONS, { withTests: false }).problems).toEqual([])
  })

  it('changes this role’s answers there and nobody’s elsewhere', () => {
    const changed = differing(answers(FILES, 'community-nurse'), answers(files, 'community-nurse'))
    expect(changed).toEqual(['create section/prognosis', 'update section/prognosis'])
    expect(differing(answers(FILES, 'practice-nurse'), answers(files, 'practice-nurse'))).toEqual(
      [],
    )
    const purpose = { purpose: 'emergency-care' as const }
    const elsewhere = answers(files, 'community-nurse', purpose)
    expect(differing(answers(FILES, 'community-nurse', purpose), elsewhere)).toEqual([])
  })

  it('is undone by its denial, which leaves no trace where nothing else permits', () => {
    const back = editCell(files, change({ wanted: 'deny' }))
    expect(back.removed).toEqual(['community-nurse-writes-prognosis'])
    expect(back.written).toEqual([])
    expect(back.files).toEqual(FILES)
  })

  it('keeps what its denial does not name', () => {
    const back = editCell(files, change({ wanted: 'deny', actions: ['create'] }))
    expect(back.changed).toEqual(['community-nurse-writes-prognosis'])
    const text = back.files['policies/writing.cedar']
    expect(text).toContain('action == Action::"update",')
    const left = answers(back.files, 'community-nurse')
    expect(left.get('update section/prognosis')).toBe('allow')
    expect(left.get('create section/prognosis')).toBe('deny')
  })

  it('does not overrule a forbid that speaks of others as well', () => {
    const { files } = editCell(FILES, change({ resource: section('resuscitation') }))
    expect(answers(files, 'community-nurse').get('update section/resuscitation')).toBe('deny')
  })
})

describe('a cell that is denied', () => {
  it('is a forbid where a policy for several roles permits, and the other roles keep their right', () => {
    const wanted = change({
      role: 'practice-nurse',
      actions: ['read', 'search'],
      wanted: 'deny',
      resource: section('prognosis'),
    })
    const { files, written } = editCell(FILES, wanted)
    expect(written).toEqual(['practice-nurse-never-reads-prognosis'])
    expect(answers(files, 'practice-nurse').get('read section/prognosis')).toBe('deny')
    expect(answers(files, 'community-nurse').get('read section/prognosis')).toBe('allow')
    expect(editCell(files, { ...wanted, wanted: 'allow' }).removed).toEqual(written)
  })

  it('writes nothing where nothing could permit', () => {
    const { files, written } = editCell(FILES, change({ role: 'viewer', wanted: 'deny' }))
    expect(written).toEqual([])
    expect(files).toEqual(FILES)
  })
})

describe('what it writes', () => {
  it.each([
    'A "quoted" reason with \\ and \\" in it',
    '"); permit (principal, action, resource); //',
    'Grüße an alle ✓',
  ])('holds the reason %s as text', (reason) => {
    const { files, written } = editCell(FILES, change({ reason }))
    const policies = createPolicies(files)
    expect(policies.policies.find(({ id }) => id === written[0])?.reason).toBe(reason)
    expect(policies.policies).toHaveLength(createPolicies(FILES).policies.length + 1)
  })

  it('takes another id where the name is taken', () => {
    const once = editCell(FILES, change({ when: { purposes: ['direct-care'] } }))
    const twice = editCell(once.files, change({ when: { activities: ['B0380'] } }))
    expect(twice.written).toEqual(['community-nurse-writes-prognosis-2'])
  })

  it('stands in the layer’s own file', () => {
    const { files } = editCell(FILES, change({ layer: 'local/A83001', wanted: 'allow' }))
    expect(files['policies/local/A83001/changes.cedar']).toContain('@layer("local")')
  })

  it('does what was asked, for any cell, and is undone without a trace', () => {
    const effectOf = (
      files: PolicyFiles,
      role: Role,
      { action, resource }: (typeof EVERYTHING)[0],
    ) => {
      const policies = createPolicies(files, { remember: 0 })
      const user = { ...ORDINARY.user, roles: [role], activities: ['B0360', 'B0380'] }
      const { effect } = policies.decide(ask({ ...ORDINARY, user }, action, resource))
      policies.close()
      return effect
    }
    fc.assert(
      fc.property(fc.constantFrom(...ROLES), fc.constantFrom(...EVERYTHING), (role, what) => {
        const cell = { role, actions: [what.action], resource: what.resource }
        const denied = editCell(FILES, change({ ...cell, wanted: 'deny' }))
        expect(effectOf(denied.files, role, what)).toBe('deny')
        if (denied.written.length > 0)
          expect(editCell(denied.files, change(cell)).files).toEqual(FILES)
      }),
      { numRuns: 25 },
    )
  })
})
