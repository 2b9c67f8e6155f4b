/**
 * An openEHR server that checks nothing: it gives and takes any composition under any EHR, knows no
 * versions of its own accord, and lets a section be begun twice. Only its stored query is in order.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

type Json = Record<string, unknown>

export interface Kept {
  readonly ehr: string
  readonly object: string
  readonly template: string
  version: number
  body: Json
}

export const uidOf = ({ object, version }: Kept): string => `${object}::sys::${version}`
const wholeOf = (one: Kept): Json => ({ ...one.body, uid: { value: uidOf(one) } })

export interface LooseRecord {
  readonly listener: RequestListener
  readonly kept: Kept[]
  /** What it was asked, in order. */
  readonly calls: string[]
  /** How a write is answered that has been done. */
  answer: (res: ServerResponse, one: Kept, req: IncomingMessage) => void
  /** Waited for before a write is done. */
  hold: () => Promise<void>
}

export const give = (
  res: ServerResponse,
  status: number,
  body?: unknown,
  headers: Record<string, string> = {},
): void => {
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(body === undefined ? undefined : JSON.stringify(body))
}

const templateOf = (body: Json): string =>
  (body.archetype_details as { template_id: { value: string } }).template_id.value

export function looseRecord(...kept: Kept[]): LooseRecord {
  const record: LooseRecord = {
    kept,
    calls: [],
    answer: (res, one, req) =>
      give(res, req.method === 'POST' ? 201 : 200, wholeOf(one), { etag: `"${uidOf(one)}"` }),
    hold: async () => undefined,
    listener: (req, res) => void handle(record, req, res),
  }
  return record
}

async function handle(record: LooseRecord, req: IncomingMessage, res: ServerResponse) {
  const { pathname } = new URL(req.url ?? '', 'http://record')
  record.calls.push(`${req.method} ${pathname.replace('/record/openehr/v1', '')}`)
  if (pathname.includes('/query/')) {
    const ehr = JSON.parse(await text(req)).query_parameters.ehr_id
    const own = record.kept.filter((one) => one.ehr === ehr)
    const columns = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ name }))
    const rows = own.map((one) => [one.template, uidOf(one), wholeOf(one), one.ehr])
    return give(res, 200, { q: 'x', columns, rows })
  }
  const [, ehr = '', object = ''] =
    /\/ehr\/([^/]+)\/(?:versioned_)?composition(?:\/([^/:]+))?/.exec(pathname) ?? []
  const found = record.kept.find((one) => one.object === object)
  if (req.method === 'GET') {
    if (found === undefined) return give(res, 404, { message: 'none' })
    if (!pathname.endsWith('revision_history')) return give(res, 200, wholeOf(found))
    return give(res, 200, { items: [{ version_id: { value: uidOf(found) } }] })
  }
  const body = JSON.parse(await text(req)) as Json
  await record.hold()
  const one = found ?? {
    ...{ ehr, template: templateOf(body), version: 0, body },
    object: `0b9a3a5e-1111-4222-8333-${String(record.kept.length).padStart(12, '0')}`,
  }
  if (found === undefined) record.kept.push(one)
  one.version += 1
  one.body = body
  return record.answer(res, one, req)
}

/** A section as it stands in such a record. */
export const section = (ehr: string, id: string, object: string, words = id): Kept => ({
  ...{ ehr, object, version: 1, template: `care-plan::${id}.v1` },
  body: {
    _type: 'COMPOSITION',
    archetype_details: { template_id: { value: `care-plan::${id}.v1` } },
    context: { start_time: { _type: 'DV_DATE_TIME', value: '2026-11-20T09:30:00Z' } },
    content: [words],
  },
})
