/** The pages in which a change of the policies lives, from draft to rollback. */
import { approvalPage, approveDraft, declineDraft } from './approval.js'
import { differencePage, impactPage, testsPage } from './differences.js'
import { setShadow, stepPage, takeStep } from './draft-acts.js'
import { cellForm, changeCell } from './draft-cell.js'
import { checkTyped, fileEditor, saveFile } from './draft-file.js'
import { rebaseDraft, rebasePage } from './draft-rebase.js'
import { beginDraft, draftList, draftPage } from './drafts.js'
import type { ConsoleRow } from './page.js'
import type { ConsoleParts } from './parts.js'
import { policiesPage, versionFile } from './policies.js'
import { closeReview, reviewList, reviewPage } from './reviews.js'
import { rollBack, rollbackPage, versionDifference, versionList, versionPage } from './versions.js'

type Change = readonly [
  verb: ConsoleRow['verb'],
  path: string,
  act: ConsoleRow['act'],
  layers: ConsoleRow['layers'],
  label: string,
  answer: ConsoleRow['answer'],
]

/** A duty in the member's own layer opens the row; each then holds them to the layer of the draft that it is about. */
// biome-ignore format: a table
export function changeRows(parts: ConsoleParts) {
  const one = '/console/drafts/:draft'
  const version = '/console/versions/:version'
  const rows: readonly Change[] = [
    ['get',  '/console/policies',       'console-view',    'own',     'Policies', policiesPage(parts)],
    ['get',  '/console/drafts',         'console-view',    'own',     'Drafts',   draftList(parts)],
    ['post', '/console/drafts',         'console-author',  'own',     '', beginDraft(parts)],
    ['get',  one,                       'console-view',    'own',     '', draftPage(parts)],
    ['get',  `${one}/files`,            'console-view',    'own',     '', fileEditor(parts)],
    ['post', `${one}/files`,            'console-author',  'own',     '', saveFile(parts)],
    ['post', `${one}/check`,            'console-author',  'own',     '', checkTyped(parts)],
    ['get',  `${one}/cell`,             'console-author',  'own',     '', cellForm(parts)],
    ['post', `${one}/cell`,             'console-author',  'own',     '', changeCell(parts)],
    ['get',  `${one}/difference`,       'console-view',    'own',     '', differencePage(parts)],
    ['get',  `${one}/impact`,           'console-view',    'own',     '', impactPage(parts)],
    ['get',  `${one}/tests`,            'console-view',    'own',     '', testsPage(parts)],
    ['get',  `${one}/propose`,          'console-author',  'own',     '', stepPage(parts, 'propose')],
    ['post', `${one}/propose`,          'console-author',  'own',     '', takeStep(parts, 'propose')],
    ['get',  `${one}/approve`,          'console-approve', 'own',     '', approvalPage(parts)],
    ['post', `${one}/approve`,          'console-approve', 'own',     '', approveDraft(parts)],
    ['post', `${one}/decline`,          'console-approve', 'own',     '', declineDraft(parts)],
    ['get',  `${one}/publish`,          'console-author',  'own',     '', stepPage(parts, 'publish')],
    ['post', `${one}/publish`,          'console-author',  'own',     '', takeStep(parts, 'publish')],
    ['get',  `${one}/emergency`,        'console-author',  'own',     '', stepPage(parts, 'emergency')],
    ['post', `${one}/emergency`,        'console-author',  'own',     '', takeStep(parts, 'emergency')],
    ['get',  `${one}/abandon`,          'console-author',  'own',     '', stepPage(parts, 'abandon')],
    ['post', `${one}/abandon`,          'console-author',  'own',     '', takeStep(parts, 'abandon')],
    ['get',  `${one}/rebase`,           'console-author',  'own',     '', rebasePage(parts)],
    ['post', `${one}/rebase`,           'console-author',  'own',     '', rebaseDraft(parts)],
    ['post', `${one}/shadow`,           'console-author',  'own',     '', setShadow(parts)],
    ['get',  '/console/reviews',        'console-view',    'own',     'Reviews',  reviewList(parts)],
    ['get',  '/console/reviews/:draft', 'console-approve', 'own',     '', reviewPage(parts)],
    ['post', '/console/reviews/:draft', 'console-approve', 'own',     '', closeReview(parts)],
    ['get',  '/console/versions',       'console-view',    'own',     'Versions', versionList(parts)],
    ['get',  version,                   'console-view',    'own',     '', versionPage(parts)],
    ['get',  `${version}/file`,         'console-view',    'own',     '', versionFile(parts)],
    ['get',  `${version}/difference`,   'console-view',    'own',     '', versionDifference(parts)],
    ['get',  `${version}/rollback`,     'console-approve', 'central', '', rollbackPage(parts)],
    ['post', `${version}/rollback`,     'console-approve', 'central', '', rollBack(parts)],
  ]
  return rows.map(([verb, path, act, layers, label, answer]) => [verb, path, 'policies', act, layers, label, answer] as const)
}
