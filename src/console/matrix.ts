/** Who may do what: the matrix of the version in force or of a draft, as the engine answers it. */

import { ACTIONS, type Action } from '../core/decision.js'
import { localLayersOf } from '../policy/layer-terms.js'
import type { Standing } from '../policy/matrices.js'
import { type Cell, conditionOf, type Matrix } from '../policy/matrix.js'
import { type AnyRole, actionWords, resourceWords, roleWords } from '../policy/names.js'
import { readRoles } from '../policy/roles.js'
import { ROLES_FILE } from '../policy/source.js'
import { ANY_ROLES } from '../policy/survey.js'
import type { Whose } from '../policy/walks.js'
import { actionsOf, GROUPS, isGroup, type Shape, tablesOf } from './matrix-table.js'
import { byKey, changedKeys, usualOf, VERDICTS, verdictOf } from './matrix-words.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { appIds, type Chosen, chosen, layerOf } from './version-chosen.js'

const MOST_CHANGES = 500
/** Not a layer's name: it is no address of one. */
const UNDER_NONE = 'none'

/** What the address says: all of it words of ours, and what is not known is as if it were left out. */
export interface Asked extends Whose {
  readonly draft: string
  readonly group: keyof typeof GROUPS
  readonly role: AnyRole | undefined
  readonly action: Action | undefined
  readonly changes: boolean
}

/** The organisation types of a version; none where its role map cannot be read. */
function typesOf({ files }: Chosen): readonly string[] {
  try {
    return [...readRoles(files[ROLES_FILE] ?? '').organizationTypes].sort()
  } catch {
    return []
  }
}

export function askedOf(visit: Visit, about: Chosen): Asked {
  const { sent } = visit
  const group = sent.get('group') ?? ''
  return {
    draft: about.draft?.id ?? '',
    layer: layerOf(visit, about, sent.get('layer') ?? ''),
    organizationType: typesOf(about).find((type) => type === sent.get('type')),
    group: isGroup(group) ? group : 'sections',
    role: ANY_ROLES.find((role) => role === sent.get('role')),
    action: ACTIONS.find((action) => action === sent.get('action')),
    changes: about.draft !== undefined && sent.get('show') === 'changed',
  }
}

/** An address of the matrix, or of a cell of it, that keeps what was chosen. */
export function addressOf(
  path: string,
  { draft, layer, organizationType }: Pick<Asked, 'draft'> & Whose,
  more: Readonly<Record<string, string>> = {},
): string {
  const given = Object.entries({
    draft,
    layer: layer ?? '',
    type: organizationType ?? '',
    ...more,
  }).filter(([, value]) => value !== '')
  const query = new URLSearchParams(given).toString()
  return query === '' ? path : `${path}?${query}`
}

export const titlesOf = ({ offered }: Pick<ConsoleParts, 'offered'>) =>
  new Map(offered.sections.map(({ id, title }) => [id, title]))

export interface Computed {
  readonly now: Standing
  /** With a draft: that of the version in force. */
  readonly before?: Standing
}

/** Begins what is not known yet. */
export async function computed(
  parts: ConsoleParts,
  visit: Visit,
  about: Chosen,
  whose: Whose,
): Promise<Computed> {
  const apps = await appIds(parts)
  const now = parts.matrices.of(about.files, apps, whose)
  if (!about.draft) return { now }
  const inForce = await chosen(parts, visit, '')
  return { now, before: parts.matrices.of(inForce.files, apps, whose) }
}

/** While something is under way: how far, in words. */
export function waitingOf(standings: readonly (Standing | undefined)[]) {
  const failed = standings.find((one) => one?.state === 'failed')
  if (failed?.state === 'failed') return { failed: failed.why }
  const open = standings.find((one) => one?.state === 'under way')
  if (open?.state !== 'under way') return undefined
  const { done, total } = open.progress
  const percent = total === 0 ? 0 : Math.floor((100 * done) / total)
  return { waiting: { done, total, percent }, refresh: true }
}

const option = (value: string, text: string) => ({ value, text })

function choices(about: Chosen, visit: Visit) {
  const all = option('', 'All')
  const local = visit.layer === 'central' ? localLayersOf(about.files) : []
  return {
    groups: Object.entries(GROUPS).map(([value, { words }]) => option(value, words)),
    roles: [all, ...ANY_ROLES.map((role) => option(role, roleWords(role)))],
    types: [all, ...typesOf(about).map((type) => option(type, type.replaceAll('-', ' ')))],
    layers: [option(UNDER_NONE, 'Users under none'), ...local.map((layer) => option(layer, layer))],
  }
}

/** One row for each changed cell: as it is in force, and in the draft. */
function changesOf(shape: Shape, before: Matrix, now: Matrix) {
  const [then, after] = [byKey(before), byKey(now)]
  const said = (cell: Cell | undefined): string => {
    if (!cell) return 'Not asked'
    const verdict = VERDICTS[verdictOf(cell, shape.usual)].words
    return [verdict, conditionOf(cell)].filter(Boolean).join(': ')
  }
  return [...shape.changed].slice(0, MOST_CHANGES).flatMap((key) => {
    const cell = after.get(key) ?? then.get(key)
    if (!cell) return []
    const text = `${roleWords(cell.role)}, ${actionWords(cell.action)}, ${resourceWords(cell.resource, shape.titles)}`
    return [[{ text, href: shape.href(cell) }, said(then.get(key)), said(after.get(key))]]
  })
}

const hrefOf =
  (asked: Asked) =>
  (cell: Cell): string =>
    addressOf('/console/matrix/cell', asked, {
      ...{ role: cell.role, action: cell.action },
      resource: `${cell.resource.type}/${cell.resource.id}`,
    })

/** What stands on the page once the matrix is known. */
function told(parts: ConsoleParts, asked: Asked, now: Matrix, before: Matrix | undefined) {
  const usual = usualOf(now.cells)
  const shape: Shape = {
    ...{ matrix: now, usual, titles: titlesOf(parts), href: hrefOf(asked) },
    changed: before ? changedKeys(before, now) : new Set(),
  }
  const reasons = now.policies.filter(({ id }) => usual.has(id))
  return {
    usual: reasons.map(({ id, reason }) => ({ id, reason })),
    actions: [
      { value: '', text: 'All' },
      ...actionsOf(now, asked.group).map((value) => ({ value, text: actionWords(value) })),
    ],
    verdicts: Object.values(VERDICTS),
    sampled: now.cells.some(({ exhaustive }) => !exhaustive),
    changed: shape.changed.size,
    cut: shape.changed.size > MOST_CHANGES,
    tables: asked.changes ? [] : tablesOf(shape, asked),
    changes: asked.changes && before ? changesOf(shape, before, now) : undefined,
  }
}

/** GET /console/matrix @throws Refusal draft_unknown */
export function matrix(parts: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => {
    const about = await chosen(parts, visit, visit.sent.get('draft') ?? '')
    const asked = askedOf(visit, about)
    const { now, before } = await computed(parts, visit, about, asked)
    const waiting = waitingOf([now, before])
    const known = now.state === 'known' ? now.matrix : undefined
    const then = before?.state === 'known' ? before.matrix : undefined
    return {
      ...{ view: 'matrix', title: 'Who may do what' },
      about: { detail: { version: about.version, draft: asked.draft, group: asked.group } },
      data: {
        ...{
          asked: { ...asked, layer: asked.layer ?? UNDER_NONE, type: asked.organizationType ?? '' },
          words: about.words,
        },
        own: visit.layer !== 'central',
        draft: about.draft && { id: about.draft.id, title: about.draft.title },
        ...choices(about, visit),
        ...(waiting ?? (known ? told(parts, asked, known, then) : {})),
        address: addressOf('/console/matrix', asked, { group: asked.group }),
      },
    }
  }
}
