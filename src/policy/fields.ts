/** Questions as tests and rows write them: by fields, of which those that are left out are ordinary. */
import { z } from 'zod'
import { PURPOSES, RUNGS } from '../core/context.js'
import type { Question } from '../core/decision.js'
import { EMERGENCY_REASONS } from '../core/emergency.js'
import { ROLES } from '../core/roles.js'

/** The fields of a question, as a test writes them. What is left out is as in {@link ORDINARY}. */
export const fields = z.strictObject({
  user: z.string(),
  roles: z.array(z.enum(ROLES)),
  activities: z.array(z.string().regex(/^B\d{4}$/, 'expected an activity code such as B0360')),
  activity_source: z.enum(['listed', 'baseline']),
  assurance: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  organization: z.string(),
  organization_type: z.string(),
  region: z.string(),
  purpose: z.enum(PURPOSES),
  rung: z.enum(RUNGS),
  system: z.string(),
  app: z.string(),
  sensitive: z.boolean(),
  deceased: z.boolean(),
  emergency_reason: z.enum(['', ...EMERGENCY_REASONS]),
  hour: z.int().min(0).max(23),
  weekday: z.int().min(1).max(7),
})
export type Fields = z.infer<typeof fields>
export const ORDINARY: Fields = {
  user: 'somebody',
  roles: [],
  activities: [],
  activity_source: 'listed',
  assurance: 2,
  organization: 'A00001',
  organization_type: 'gp-practice',
  region: '',
  purpose: 'direct-care',
  rung: 'pushed',
  system: 'a-system',
  app: 'care-plan',
  sensitive: false,
  deceased: false,
  emergency_reason: '',
  hour: 10,
  weekday: 2,
}

export const oneOrMore = <T extends z.ZodType>(item: T) =>
  z
    .union([item, z.array(item).min(1)])
    .transform((value) => (Array.isArray(value) ? value : [value]))

export const questionOf = (
  f: Fields,
  action: Question['action'],
  resource: Question['resource'],
): Question => ({
  user: {
    id: f.user,
    roles: f.roles,
    activities: f.activities,
    activitySource: f.activity_source,
    assurance: f.assurance,
    organization: { odsCode: f.organization, type: f.organization_type, region: f.region },
  },
  patient: { sensitive: f.sensitive, deceased: f.deceased },
  launch: { rung: f.rung, system: f.system, app: f.app },
  purpose: f.purpose,
  emergencyReason: f.emergency_reason,
  hour: f.hour,
  weekday: f.weekday,
  action,
  resource,
})

/** Circumstances in which nothing is special. */
export const ordinarily = (action: Question['action'], resource: Question['resource']): Question =>
  questionOf(ORDINARY, action, resource)
