/**
 * An openEHR server that labels everything rightly and holds itself to nothing: it ignores the EHR of a path, the uid
 * that was asked for, the parameters of a query and what a contribution said, and answers with whatever the next of
 * its `choices` picks. Every piece of data bears its patient's word, and its section's.
 */
import type { RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { give } from '../proxy/loose-record.js'
import { FORM, PEGGY, WINSTON } from '../proxy/world.js'

export interface Owner {
  readonly ehr: string
  readonly number: string
  /** Stands in everything of theirs, and nowhere else. */
  readonly word: string
}
export const OWN: Owner = { ehr: PEGGY.ehrId, number: PEGGY.nhsNumber, word: 'canary-own' }
export const OTHER: Owner = { ehr: WINSTON.ehrId, number: WINSTON.nhsNumber, word: 'canary-other' }

export interface Piece {
  readonly owner: Owner
  readonly section: string
  readonly template: string
  readonly object: string
}

const hex = (one: number): string => one.toString(16).padStart(8, '0')
export const PIECES: readonly Piece[] = [OWN, OTHER].flatMap((owner, whose) =>
  FORM.map(({ id, template }, index) => ({
    ...{ owner, section: id, template },
    object: `${hex(16 * (whose + 1) + index)}-7d43-4b8e-9a16-3c5d8e2f7a01`,
  })),
)
export const uidOf = ({ object }: Piece, version = 1): string => `${object}::sys::${version}`
/** What stands in a piece's data, by which it is known wherever it comes out. */
export const wordOf = ({ owner, section }: Piece): string => `${owner.word}-${section}-`

const composition = (piece: Piece, version = 1) => ({
  _type: 'COMPOSITION',
  uid: { value: uidOf(piece, version) },
  archetype_details: { template_id: { value: piece.template } },
  content: [wordOf(piece)],
})
const audit = ({ owner }: Piece) => ({ committer: { name: owner.word } })
const status = (owner: Owner) => ({
  ...{ is_queryable: true, is_modifiable: true, other_details: owner.word },
  uid: { value: `${owner.ehr}::sys::1` },
  subject: {
    external_ref: {
      id: { value: owner.number },
      ...{ namespace: 'https://fhir.nhs.uk/Id/nhs-number', type: 'PERSON' },
    },
  },
})
const reference = (piece: Piece, version?: number) => ({
  id: { value: version === undefined ? piece.object : uidOf(piece, version) },
  ...{ namespace: 'local', type: 'COMPOSITION' },
})

export interface HonestRecord {
  readonly listener: RequestListener
  /** What it picks with, in turn. */
  choices: readonly number[]
}

export function honestRecord(): HonestRecord {
  const record: HonestRecord = { choices: [], listener: (req, res) => void answer(req, res) }
  let turn = 0
  const pick = <T>(all: readonly T[]): T => {
    const choice = record.choices[turn++ % Math.max(1, record.choices.length)] ?? 0
    return all[choice % all.length] as T
  }
  const some = (): readonly Piece[] =>
    pick([
      PIECES.filter(({ owner }) => owner === OWN),
      PIECES.filter(({ owner }) => owner === OTHER),
      PIECES,
      [pick(PIECES)],
      [],
    ])

  /** The plan's rows: mostly in order, or nothing could be read at all. */
  const planRows = (ehr: string) => {
    const own = PIECES.filter(({ owner }) => owner.ehr === ehr)
    const rows = pick([own, own, own, own, some()]).map((piece) => [
      ...[piece.template, uidOf(piece), composition(piece), piece.owner.ehr],
    ])
    const columns = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ name }))
    return { q: OTHER.word, columns, rows }
  }
  const medicines = () => ({
    columns: ['template', 'ehr', 'drug', 'since'].map((name) => ({ name })),
    rows: some().map((piece) => [piece.template, piece.owner.ehr, wordOf(piece), '2026-01-01']),
  })
  /** Of ad-hoc AQL it reads what columns are wanted, and nothing of the conditions. */
  const adHoc = (aql: string) => {
    const wanted = (/^SELECT (.*?) FROM /.exec(aql)?.[1] ?? '').split(', ')
    const columns = wanted.map((one, index) => ({
      name: / AS (\w+)$/.exec(one)?.[1] ?? `#${index}`,
    }))
    const rows = some().map((piece) =>
      wanted.map((one) => {
        if (one.endsWith('gw_ehr')) return piece.owner.ehr
        if (/gw_template_\d$/.test(one)) return piece.template
        return /^\w+$/.test(one) ? composition(piece) : wordOf(piece)
      }),
    )
    return { columns, rows }
  }

  async function answer(
    req: Parameters<RequestListener>[0],
    res: Parameters<RequestListener>[1],
  ): Promise<void> {
    const { method = '', url = '' } = req
    const body = method === 'GET' ? '' : await text(req)
    const path = url.replace('/record/openehr/v1', '').split('?')[0] ?? ''
    const strange = pick([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3])
    if (strange === 1) return give(res, pick([204, 404, 409, 500]), { message: OTHER.word })
    if (strange === 2) return give(res, 200, pick([[], null, 1, { _type: OTHER.word }]))
    if (path.startsWith('/query/')) {
      const sent = JSON.parse(body)
      if (path === '/query/aql') return give(res, 200, adHoc(sent.q))
      if (path.includes('medicines')) return give(res, 200, medicines())
      return give(res, 200, planRows(strange === 3 ? OTHER.ehr : sent.query_parameters.ehr_id))
    }
    const asked = PIECES.find(({ object }) => path.includes(object))
    const piece = pick([asked ?? pick(PIECES), asked ?? pick(PIECES), pick(PIECES)])
    const owner = pick([OWN, OWN, OTHER])
    const etag = { etag: `"${uidOf(piece, 2)}"` }
    const made = some()
    const contribution = {
      uid: { value: /[\w-]{36}$/.exec(path)?.[0] ?? '7f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a09' },
      versions: made.map((one) => reference(one, 2)),
      audit: made[0] === undefined ? undefined : audit(made[0]),
    }
    const folder = (pieces: readonly Piece[]) => ({
      name: { value: pieces.map(wordOf).join(' ') },
      items: pieces.map((one) => reference(one)),
    })
    // biome-ignore format: a table
    const rows: readonly (readonly [RegExp, () => object])[] = [
      [/contribution/,        () => contribution],
      [/revision_history/,    () => ({ items: [{ version_id: { value: uidOf(piece) }, audits: [audit(piece)] }] })],
      [/\/version(\/|$)/,     () => ({ uid: { value: uidOf(piece) }, commit_audit: audit(piece), data: composition(piece) })],
      [/versioned_/,          () => ({ uid: { value: piece.object }, owner_id: { id: { value: piece.owner.ehr } }, time_created: { value: 'x' }, more: wordOf(piece) })],
      [/composition/,         () => composition(piece, method === 'GET' ? 1 : 2)],
      [/directory/,           () => ({ ...folder([]), name: { value: 'root' }, uid: { value: `${owner.ehr}::sys::1` }, folders: PIECES.filter((one) => one.owner === owner).map((one) => folder([one])) })],
      [/ehr_status/,          () => status(owner)],
      [/^\/ehr\/[^/]+$/,      () => ({ ehr_id: { value: owner.ehr }, system_id: { value: 's' }, time_created: { value: 't' }, ehr_status: status(owner), compositions: [owner.word] })],
      [/adl1\.4$/,            () => FORM.map(({ template }) => ({ template_id: template }))],
      [/adl1\.4\//,           () => ({ templateId: pick(FORM).template })],
    ]
    const found = rows.find(([where]) => where.test(path))
    if (found === undefined) return give(res, 404, { message: OTHER.word })
    give(res, method === 'POST' ? 201 : 200, found[1](), etag)
  }
  return record
}
