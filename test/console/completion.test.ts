import { CompletionContext } from '@codemirror/autocomplete'
import { EditorState } from '@codemirror/state'
import { describe, expect, it } from '@jest/globals'
import { completing } from '../../public/console/cedar.js'
import type { Words } from '../../public/console/words.js'
import { completingYaml } from '../../public/console/yaml.js'
import { yamlWords } from '../../src/policy/yaml-words.js'
import { FILES } from '../policy/asking.js'

const NONE: Words = {
  keys: [],
  roles: [{ label: 'gp', detail: 'GP' }],
  actions: [{ label: 'read' }],
  resources: { Section: [{ label: 'prognosis' }] },
  principal: [{ label: 'assurance' }],
  context: [{ label: 'purpose' }],
  values: { purpose: [{ label: 'direct-care' }] },
}

/** What is offered at the end of a text, and what of the text it would replace. */
function offered(complete: ReturnType<typeof completing>, text: string, explicit = false) {
  const state = EditorState.create({ doc: text })
  const found = complete(new CompletionContext(state, text.length, explicit))
  return (
    found && { replaces: text.slice(found.from), labels: found.options.map(({ label }) => label) }
  )
}

describe('the editor of policies', () => {
  const at = (text: string) => offered(completing(NONE), text)
  it.each([
    ['permit (principal in Role::"g', 'g', ['gp']],
    ['permit (principal, action == Action::"', '', ['read']],
    ['resource == Section::"pro', 'pro', ['prognosis']],
    ['when { principal.as', 'as', ['assurance']],
    ['when { context.purpose == "', '', ['direct-care']],
  ])('completes %s', (text, replaces, labels) => {
    expect(at(text)).toEqual({ replaces, labels })
  })
})

describe('the editor of YAML', () => {
  const at = (file: string, text: string, explicit = false) => {
    const words = yamlWords(file, FILES)
    if (!words) throw new Error(`${file} has no words`)
    return offered(completingYaml({ ...NONE, ...words, values: words.values }), text, explicit)
  }
  const TEST = 'policies/tests/own.yaml'

  it.each([
    ['roles.yaml', 'roles:\n  - { role: g', 'g', 'gp'],
    ['roles.yaml', 'roles:\n  - role: gp\n    organizations: [gp-practice, hos', 'hos', 'hospice'],
    [
      'roles.yaml',
      'roles:\n  - role: gp\n    organizations:\n      [\n        hos',
      'hos',
      'hospice',
    ],
    [
      'roles.yaml',
      'roles:\n  - role: gp\n    organizations:\n      - gp-practice\n      - hos',
      'hos',
      'hospice',
    ],
    ['console.yaml', 'people:\n  - { uid: "555000000001", duties: [aut', 'aut', 'author'],
    ['policies/invariants.yaml', 'invariants:\n  - name: x\n    actions: [re', 're', 'read'],
    [TEST, 'tests:\n  - { name: it, expect: d', 'd', 'deny'],
    [TEST, 'people:\n  nurse: { purpose: ', '', 'direct-care'],
  ])('of %s completes values: %s', (file, text, replaces, label) => {
    const found = at(file, text)
    expect(found?.replaces).toBe(replaces)
    expect(found?.labels).toContain(label)
  })

  it.each([
    ['roles.yaml', 'org', 'org', 'organization_types'],
    ['roles.yaml', 'roles:\n  - { role: gp, org', 'org', 'organizations'],
    ['console.yaml', 'people:\n  - u', 'u', 'uid'],
    [TEST, 'tests:\n  - name: it\n    exp', 'exp', 'expect'],
  ])('of %s completes keys: %s', (file, text, replaces, label) => {
    const found = at(file, text)
    expect(found?.replaces).toBe(replaces)
    expect(found?.labels).toContain(label)
  })

  it('offers no value of another key, nothing in a comment, and keys only where something is typed or asked for', () => {
    expect(at('roles.yaml', 'roles:\n  - { role: g')?.labels).not.toContain('gp-practice')
    expect(at('roles.yaml', '# role: g')).toBeNull()
    expect(at('roles.yaml', 'roles:\n  - { role: gp, codes: [R0')).toBeNull()
    expect(at('roles.yaml', '')).toBeNull()
    expect(at('roles.yaml', '', true)?.labels).toContain('roles')
  })

  it('still knows the keys of a file whose roles cannot be read', () => {
    expect(yamlWords('roles.yaml', { 'roles.yaml': 'roles: [' })?.keys).toContain(
      'organization_types',
    )
    expect(yamlWords('policies/own.cedar', FILES)).toBeUndefined()
  })
})
