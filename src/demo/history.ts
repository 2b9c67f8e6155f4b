/** A past for the demonstration's console: changes that its people made, so that there is something to look at. */
import type { Person } from '../core/draft.js'
import type { CellChange } from '../policy/cell-edit.js'
import { editCell } from '../policy/cell-edit.js'
import type { Drafts } from '../policy/drafts.js'

/** Of config/demo/people.yaml. */
const AUTHOR: Person = { uid: '555254239202', name: 'Rohan Mehta' }
const APPROVER: Person = { uid: '555254239203', name: 'Dr Isabel Fontaine' }
const GUARDIAN: Person = { uid: '555254239206', name: 'Prof Susan Achebe' }

type Cell = Omit<CellChange, 'layer'>

const MEDICATION: Cell = {
  role: 'call-handler',
  actions: ['read', 'search'],
  resource: { type: 'fhir', id: 'MedicationRequest' },
  wanted: 'allow',
  when: { purposes: ['emergency-care'] },
  reason: 'In an emergency call handlers may read which medicines a person takes.',
}
const SYMPTOMS: Cell = {
  ...MEDICATION,
  resource: { type: 'section', id: 'symptoms' },
  reason: 'In an emergency call handlers may read the symptoms and how to help.',
}
const PROGNOSIS: Cell = {
  role: 'practice-nurse',
  actions: ['create', 'update'],
  resource: { type: 'section', id: 'prognosis' },
  wanted: 'allow',
  when: { purposes: ['direct-care'] },
  reason: 'Practice nurses may write down the prognosis.',
}

/** A draft with one cell of the version in force changed. */
async function drafted(drafts: Drafts, by: Person, title: string, ticket: string, cell: Cell) {
  const { id, generation } = await drafts.open({ by, layer: 'central', title, ticket })
  const { files } = await drafts.inForce()
  const edited = editCell(files, { ...cell, layer: 'central' })
  return drafts.edit(id, { by, generation, files: edited.files })
}

/**
 * Four changes by three people: one that went its whole way, one that took it back in an emergency and waits for its
 * review, one that waits for approval, and one whose tests are red. What is in force in the end is what was at first.
 * Does nothing where anything has been changed already.
 *
 * @throws what the steps of a draft throw
 */
export async function makeHistory(drafts: Drafts): Promise<void> {
  const { about } = await drafts.inForce()
  if (about.version !== 1 || (await drafts.list()).length > 0) return
  const by = AUTHOR
  const first = await drafted(drafts, by, 'Medicines for call handlers', 'CHG-1042', MEDICATION)
  const reason = 'Crews ask the control room what a person takes before they arrive.'
  await drafts.propose(first.id, { by, reason, ticket: 'CHG-1042', hash: first.hash })
  await drafts.approve(first.id, { by: APPROVER, hash: first.hash })
  await drafts.publish(first.id, { by, hash: first.hash })
  const back = { ...MEDICATION, wanted: 'deny' as const }
  const title = 'Take back medicines for call handlers'
  const second = await drafted(drafts, GUARDIAN, title, 'INC-77', back)
  await drafts.emergency(second.id, {
    ...{ by: GUARDIAN, hash: second.hash },
    reason: 'A medicine’s note held a relative’s address. Closed until we know how many do.',
  })
  const third = await drafted(drafts, by, 'Symptoms for call handlers', 'CHG-1051', SYMPTOMS)
  await drafts.propose(third.id, {
    ...{ by, ticket: 'CHG-1051', hash: third.hash },
    reason: 'What helps with pain or breathlessness is asked on every second call.',
  })
  await drafted(drafts, by, 'Prognosis by practice nurses', 'CHG-1057', PROGNOSIS)
}
