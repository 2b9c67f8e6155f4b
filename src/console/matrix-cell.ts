/** One cell of the matrix: the answer, its conditions, and every policy that makes it so. */
import { ACTIONS } from '../core/decision.js'
import { Refusal } from '../core/refusal.js'
import { type Cell, conditionOf, type Matrix, type Told } from '../policy/matrix.js'
import { ANY_ROLES } from '../policy/survey.js'
import { addressOf, askedOf, computed, titlesOf, waitingOf } from './matrix.js'
import { cellWords, usualOf, VERDICTS, verdictOf } from './matrix-words.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { type Chosen, chosen } from './version-chosen.js'

/** The cell that an address names. */
function named({ sent }: Visit) {
  const [, type, id] =
    /^(app|section|fhir|console)\/(\S{1,200})$/.exec(sent.get('resource') ?? '') ?? []
  const role = ANY_ROLES.find((one) => one === sent.get('role'))
  const action = ACTIONS.find((one) => one === sent.get('action'))
  if (!role || !action || type === undefined) throw new Refusal('not_found', 'no such cell')
  return { role, action, resource: `${type}/${id}` }
}

const policiesOf = (ids: readonly string[], { policies }: Matrix): readonly Told[] =>
  ids.flatMap((id) => policies.find((policy) => policy.id === id) ?? [])

function told(parts: ConsoleParts, cell: Cell, matrix: Matrix) {
  const { words, mark, means } = VERDICTS[verdictOf(cell, usualOf(matrix.cells))]
  return {
    ...{ name: cellWords(cell, titlesOf(parts)), words, mark, means },
    ...{ answer: cell.answer, when: cell.when, unless: cell.unless, exhaustive: cell.exhaustive },
    sentence: conditionOf(cell),
    permits: policiesOf(cell.permits, matrix),
    forbids: policiesOf(cell.forbids, matrix),
  }
}

/** Where a member goes on from here: to the same cell in their draft, or to trying it out. */
function linksOf(
  visit: Visit,
  { draft }: Chosen,
  { role, action, resource }: ReturnType<typeof named>,
) {
  const cell = { role, action, resource }
  const writes =
    draft !== undefined && role !== 'none' && visit.mayIn('console-author', draft.layer)
  return {
    edit: writes ? addressOf(`/console/drafts/${draft.id}/cell`, { draft: '' }, cell) : undefined,
    simulate: visit.may('console-simulate', 'policies')
      ? addressOf('/console/simulate', { draft: draft?.id ?? '' }, cell)
      : undefined,
  }
}

/** GET /console/matrix/cell @throws Refusal not_found, draft_unknown */
export function matrixCell(parts: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => {
    const about = await chosen(parts, visit, visit.sent.get('draft') ?? '')
    const asked = askedOf(visit, about)
    const wanted = named(visit)
    const { now } = await computed(parts, visit, { ...about }, asked)
    const waiting = waitingOf([now])
    const known = now.state === 'known' ? now.matrix : undefined
    const cell = known?.cells.find(
      ({ role, action, resource }) =>
        role === wanted.role &&
        action === wanted.action &&
        `${resource.type}/${resource.id}` === wanted.resource,
    )
    if (known && !cell) throw new Refusal('not_found', 'no such cell')
    const back = addressOf('/console/matrix', asked, { group: asked.group })
    return {
      ...{ view: 'matrix-cell', title: 'One cell of the matrix' },
      crumbs: [{ text: 'Matrix', href: back }],
      about: {
        detail: { version: about.version, draft: asked.draft, cell: Object.values(wanted) },
      },
      data: {
        ...{ words: about.words, layer: asked.layer, type: asked.organizationType, ...waiting },
        ...(known && cell ? { cell: told(parts, cell, known) } : {}),
        ...linksOf(visit, about, wanted),
      },
    }
  }
}
