/** Reading what the launch brought: when a form first needs it, and for this launch only. */
import { HANDOVER_ROLE } from '../../src/core/handed-over.js'
import { CallFailed, type Connection } from './connection.js'
import { type GpRecord, readGpRecord } from './gp-record.js'

const addressIn = (context: unknown): string | undefined => {
  const items = Array.isArray(context) ? (context as readonly Record<string, unknown>[]) : []
  const reference = items.find(({ role }) => role === HANDOVER_ROLE)?.reference
  return typeof reference === 'string' && /^Bundle\/[\w.-]{1,64}$/.test(reference)
    ? reference
    : undefined
}

export type ReadGpRecord = () => Promise<GpRecord>

/**
 * Reads it once, and again only after it could not be read; `undefined` where the launch brought nothing.
 * What it does throws CallFailed, TypeError, ForeignPatient.
 */
export function gpRecordOf(connection: Connection): ReadGpRecord | undefined {
  const address = addressIn(connection.token('fhirContext'))
  if (address === undefined) return undefined
  let reading: Promise<GpRecord> | undefined
  const read = async () => {
    const { json } = await connection.call(`${connection.fhir}/${address}`)
    return readGpRecord(json, new URL(connection.fhir).host, connection.patient)
  }
  return () => {
    reading ??= read().catch((error: unknown) => {
      reading = undefined
      throw error
    })
    return reading
  }
}

/** Why a form has nothing to offer, in words for its user. */
export const unreadWords = (error: unknown): string => {
  if (!(error instanceof CallFailed))
    return 'The GP record’s items that came with this launch could not be understood.'
  return error.why === 'absent' || error.why === 'refused'
    ? 'The GP record’s items that came with this launch are not available to you any more, or not to your role.'
    : 'The GP record’s items that came with this launch could not be loaded.'
}
