/**
 * EHR and EHR_STATUS as an app may see them: that there is one, since when, and whose. What they refer to
 * (compositions, contributions, folders, access settings, other details) stays behind.
 *
 * @see openEHR RM, "EHR Information Model"
 */
import { z } from 'zod'
import type { Access } from './access.js'
import { isVersionOf } from './openehr.js'
import { Refusal } from './refusal.js'
import { timeOf } from './version.js'

const invalid = (detail: string) => new Refusal('upstream_invalid', `openehr: ${detail}`)

const named = z.object({ value: z.string().max(200) })
const status = z.object({
  uid: named.optional(),
  is_queryable: z.boolean(),
  is_modifiable: z.boolean(),
  subject: z.object({
    external_ref: z.object({
      id: z.object({ value: z.string().max(100), scheme: z.string().max(200).optional() }),
      namespace: z.string().max(200),
      type: z.string().max(50),
    }),
  }),
})
const ehr = z.object({
  system_id: named,
  ehr_id: named,
  time_created: timeOf,
  ehr_status: z.unknown().optional(),
})

/** By which namespace the record keeps NHS numbers, and what the token's patient bears. */
export interface Subject {
  readonly namespace: string
  readonly number: string | undefined
}

export const subjectOf = ({ grant }: Access, namespace: string): Subject => ({
  namespace,
  number: grant.nhsNumber,
})

/**
 * @param asked the version that was asked for; empty for any
 * @throws Refusal upstream_invalid when it is of anybody but the token's patient
 */
export function releaseStatus(body: unknown, subject: Subject, asked = '') {
  const read = status.safeParse(body)
  if (!read.success) throw invalid('not an EHR_STATUS')
  const { uid, is_queryable, is_modifiable, subject: said } = read.data
  const { id, namespace, type } = said.external_ref
  if (namespace !== subject.namespace || id.value !== subject.number)
    throw invalid('EHR_STATUS of another subject')
  if (uid === undefined ? asked !== '' : !isVersionOf(uid.value, asked))
    throw invalid('another EHR_STATUS than asked')
  return {
    _type: 'EHR_STATUS',
    ...(uid === undefined ? {} : { uid: { _type: 'OBJECT_VERSION_ID', value: uid.value } }),
    subject: {
      _type: 'PARTY_SELF',
      external_ref: {
        _type: 'PARTY_REF',
        id: { _type: 'GENERIC_ID', ...id },
        namespace,
        type,
      },
    },
    is_queryable,
    is_modifiable,
  }
}

/** @throws Refusal upstream_invalid when it is another EHR than the token's, or another patient's */
export function releaseEhr(body: unknown, ehrId: string, subject: Subject) {
  const read = ehr.safeParse(body)
  if (!read.success) throw invalid('not an EHR')
  const { system_id, ehr_id, time_created, ehr_status } = read.data
  if (ehr_id.value.toLowerCase() !== ehrId) throw invalid('another EHR than asked')
  const inline = status.safeParse(ehr_status)
  return {
    _type: 'EHR',
    system_id: { _type: 'HIER_OBJECT_ID', value: system_id.value },
    ehr_id: { _type: 'HIER_OBJECT_ID', value: ehrId },
    time_created: { _type: 'DV_DATE_TIME', value: time_created },
    // Servers may give it as a reference only: it can be asked for by itself.
    ...(inline.success ? { ehr_status: releaseStatus(ehr_status, subject) } : {}),
  }
}
