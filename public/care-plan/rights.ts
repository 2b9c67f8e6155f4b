/** What the granted scopes let this user see and do, section by section. */
import { type Letter, matchesPattern, readScopes } from '../../src/core/scope.js'
import type { Section } from './definition.js'

export interface Rights {
  readonly read: boolean
  readonly create: boolean
  readonly update: boolean
}

/** @param granted `scope` of the token response: what was granted, not what was asked for. */
export function rightsOf(granted: string, template: string): Rights {
  const letters = new Set<Letter>()
  for (const scope of readScopes(granted)) {
    if (scope.kind !== 'openehr' || scope.resource !== 'composition') continue
    if (!matchesPattern(scope.pattern, template)) continue
    for (const letter of scope.letters) letters.add(letter)
  }
  return { read: letters.has('r'), create: letters.has('c'), update: letters.has('u') }
}

export const mayWriteAny = (granted: string, sections: readonly Section[]): boolean =>
  sections.some(({ template }) => {
    const { create, update } = rightsOf(granted, template)
    return create || update
  })

/** Whether a plan may be listed at the record (any, not only some kind of them), and a section of it begun and seen. */
export const mayBegin = (granted: string, sections: readonly Section[]): boolean =>
  readScopes(granted).some(
    (scope) =>
      scope.kind === 'fhir' &&
      ['CarePlan', '*'].includes(scope.type) &&
      scope.query === '' &&
      scope.letters.has('c'),
  ) &&
  sections.some(({ template }) => {
    const { read, create } = rightsOf(granted, template)
    return read && create
  })

/** Whether the sections may be asked for at all. */
export const maySearchSections = (granted: string, query: string): boolean =>
  readScopes(granted).some(
    (scope) =>
      scope.kind === 'openehr' && scope.resource === 'aql' && matchesPattern(scope.pattern, query),
  )

export interface Sight {
  readonly seen: readonly Section[]
  readonly hidden: readonly Section[]
}

export const sightOf = (granted: string, sections: readonly Section[]): Sight => ({
  seen: sections.filter(({ template }) => rightsOf(granted, template).read),
  hidden: sections.filter(({ template }) => !rightsOf(granted, template).read),
})
