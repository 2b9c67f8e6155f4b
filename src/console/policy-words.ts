/** What policies may speak of, for the editor's completion: the schema's own words, with what each means. */
import { PURPOSES, RUNGS } from '../core/context.js'
import { ACTIONS } from '../core/decision.js'
import { FHIR_TYPES } from '../core/fhir.js'
import { ROLES } from '../core/roles.js'
import { actionWords, roleWords } from '../policy/names.js'
import { CONTEXT_TYPES, PRINCIPAL_TYPES } from '../policy/vocabulary.js'
import type { ConsoleParts } from './parts.js'

const typed = (types: Readonly<Record<string, string>>) =>
  Object.entries(types).map(([label, detail]) => ({ label, detail }))
const plain = (words: readonly string[]) => words.map((label) => ({ label }))

/** As a block of JSON in a page: it cannot end the element that it stands in. */
export const inPage = (words: object): string => JSON.stringify(words).replaceAll('<', '\\u003c')

export function editorWords({ offered }: ConsoleParts) {
  return {
    roles: ROLES.map((label) => ({ label, detail: roleWords(label) })),
    actions: ACTIONS.map((label) => ({ label, detail: actionWords(label) })),
    resources: {
      Section: offered.sections.map(({ id, title }) => ({ label: id, detail: title })),
      FhirType: plain(Object.keys(FHIR_TYPES)),
    },
    principal: typed(PRINCIPAL_TYPES),
    context: typed(CONTEXT_TYPES),
    values: { purpose: plain(PURPOSES), rung: plain(RUNGS) },
  }
}
