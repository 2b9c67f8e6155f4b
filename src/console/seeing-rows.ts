/** The pages that show what policies come to, who used what they may, and what is to be looked at afterwards. */
import { closeEmergency, emergencies, emergency } from './emergencies.js'
import { matrix } from './matrix.js'
import { matrixCell } from './matrix-cell.js'
import type { ConsoleRow } from './page.js'
import type { ConsoleParts } from './parts.js'
import { rights } from './rights.js'
import { simulate } from './simulate.js'
import { keepTest } from './simulate-keep.js'

// biome-ignore format: a table
export function seeingRows(parts: ConsoleParts) {
  const [trying, used] = [simulate(parts), rights(parts)]
  const rows: readonly (readonly [ConsoleRow['verb'], string, ConsoleRow['part'], ConsoleRow['act'], ConsoleRow['layers'], string, ConsoleRow['answer']])[] = [
    ['get',  '/console/matrix',                 'policies',    'console-view',     'own',     'Matrix',      matrix(parts)],
    ['get',  '/console/matrix/cell',            'policies',    'console-view',     'own',     '',            matrixCell(parts)],
    ['get',  '/console/simulate',               'policies',    'console-simulate', 'own',     'Try out',     trying],
    ['post', '/console/simulate',               'policies',    'console-simulate', 'own',     '',            trying],
    ['post', '/console/drafts/:draft/keep-test', 'policies',   'console-author',   'own',     '',            keepTest(parts)],
    ['get',  '/console/rights',                 'rights',      'console-view',     'central', 'Rights',      used],
    ['post', '/console/rights',                 'rights',      'console-view',     'central', '',            used],
    ['get',  '/console/emergencies',            'emergencies', 'console-view',     'central', 'Emergencies', emergencies(parts)],
    ['get',  '/console/emergencies/:emergency', 'emergencies', 'console-view',     'central', '',            emergency(parts)],
    ['post', '/console/emergencies/:emergency', 'emergencies', 'console-review',   'central', '',            closeEmergency(parts)],
  ]
  return rows
}
