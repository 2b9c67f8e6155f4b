/** What the simulator's form says, as a question of the policies. What cannot be used is said, not thrown. */
import { z } from 'zod'
import { localTime } from '../core/circumstances.js'
import { type KnownUser, type OdsCode, PURPOSES, RUNGS } from '../core/context.js'
import { ACTIONS, type Question, type Resource } from '../core/decision.js'
import { EMERGENCY_REASONS } from '../core/emergency.js'
import { type Assurance, ROLES } from '../core/roles.js'
import type { EpochMs } from '../core/values.js'
import { type Directory, knowUser, type RoleMap, UNKNOWN_TYPE } from '../policy/roles.js'

/** Codes one after another, with spaces or commas between them. */
const codes = (shape: RegExp, said: string) =>
  z
    .string()
    .max(300)
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((code) => code !== ''))
    .refine((list) => list.length <= 40 && list.every((code) => shape.test(code)), said)

const word = (most: number) => z.string().max(most).default('')
const yes = z.literal('yes').optional()
const number = (from: number, to: number) =>
  z
    .string()
    .default('')
    .transform((text) => (text === '' ? undefined : Number(text)))
    .refine((n) => n === undefined || (Number.isInteger(n) && n >= from && n <= to), {
      error: `give a whole number from ${from} to ${to}, or leave it empty`,
    })

export const form = z.object({
  of: word(60),
  by: z.enum(['role', 'code']).default('role'),
  role: z.enum([...ROLES, 'none']).default('gp'),
  code: codes(/^R\d{4}$/, 'job roles look like R0260'),
  activities: codes(/^B\d{4}$/, 'activities look like B0360'),
  source: z.enum(['listed', 'baseline']).default('listed'),
  organization: z
    .string()
    .max(12)
    .default('')
    .transform((text) => text.toUpperCase())
    .refine(
      (text) => /^[A-Z0-9]*$/.test(text),
      'an ODS code has letters and digits, such as A83001',
    ),
  assurance: z.enum(['1', '2', '3']).default('2'),
  rung: z.enum(RUNGS).default('pushed'),
  system: word(100),
  app: word(100),
  purpose: z.enum(PURPOSES).default('direct-care'),
  emergency: z.enum(['', ...EMERGENCY_REASONS]).default(''),
  sensitive: yes,
  deceased: yes,
  hour: number(0, 23),
  weekday: number(1, 7),
  action: z.enum(ACTIONS).default('read'),
  resource: z
    .string()
    .max(220)
    .regex(/^(app|section|fhir|console)\/\S+$/, 'choose what it is on')
    .default('section/contacts'),
})
export type Fields = z.output<typeof form>

export type Read =
  | { readonly fields: Fields }
  | { readonly problems: readonly string[]; readonly fields?: undefined }

const NAMES: Readonly<Record<string, string>> = {
  ...{ code: 'Job role', activities: 'Activities', organization: 'Organisation', of: 'Version' },
  ...{ hour: 'Hour', weekday: 'Day', resource: 'On' },
}

export function readForm(sent: ReadonlyMap<string, string>): Read {
  const read = form.safeParse(Object.fromEntries(sent))
  if (read.success) return { fields: read.data }
  const problems = read.error.issues.map(({ path, message }) => {
    const name = String(path[0] ?? '')
    return `${NAMES[name] ?? name}: ${message}`
  })
  return { problems: [...new Set(problems)] }
}

const resourceOf = (text: string): Resource => {
  const slash = text.indexOf('/')
  return { type: text.slice(0, slash) as Resource['type'], id: text.slice(slash + 1) }
}

/** The person: by a role that is taken as given, or by the codes that a launch would name. */
function userOf(fields: Fields, map: RoleMap, directory: Directory): Omit<Question['user'], 'id'> {
  const { by, role, code, activities, source, organization: ods } = fields
  const assurance = Number(fields.assurance) as Assurance
  if (by === 'code') {
    const listed = source === 'listed' ? { activityCodes: activities } : {}
    const named = { localId: 'simulated', roleCodes: code, ...listed }
    return seen(knowUser(named, ods as OdsCode, assurance, map, directory))
  }
  const known = directory.get(ods as OdsCode)
  const organization = {
    ...{ odsCode: ods, type: known?.type ?? UNKNOWN_TYPE, region: known?.region ?? '' },
  }
  const roles = role === 'none' ? [] : [role]
  return { roles, activities, activitySource: source, assurance, organization }
}

const seen = ({ roles, activities, activitySource, assurance, organization }: KnownUser) => ({
  ...{ roles, activities, activitySource, assurance },
  organization: {
    ...{ odsCode: organization.odsCode, type: organization.type, region: organization.region },
  },
})

/** @param now where the form names no hour or day */
export function questionOf(
  fields: Fields,
  { map, directory, now }: { map: RoleMap; directory: Directory; now: EpochMs },
): Question {
  const time = localTime(now)
  const app =
    fields.app === '' && fields.resource.startsWith('app/') ? fields.resource.slice(4) : fields.app
  return {
    user: { id: 'simulated', ...userOf(fields, map, directory) },
    patient: { sensitive: fields.sensitive === 'yes', deceased: fields.deceased === 'yes' },
    launch: { rung: fields.rung, system: fields.system, app },
    purpose: fields.purpose,
    emergencyReason: fields.emergency,
    hour: fields.hour ?? time.hour,
    weekday: fields.weekday ?? time.weekday,
    action: fields.action,
    resource: resourceOf(fields.resource),
  }
}
