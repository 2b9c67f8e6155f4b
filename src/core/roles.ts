/** Our roles: what policies speak of. `config/roles.yaml` maps national codes onto them. */
export const USER_ROLES = [
  'gp',
  'practice-nurse',
  'community-nurse',
  'hospice-clinician',
  'urgent-care-clinician',
  'call-handler',
  'hospital-clinician',
  'social-care',
  'care-home',
  'administrator',
  'privacy-officer',
] as const

/**
 * What people do in the console. `console.yaml` gives them by the person's own uid, never by a national code; whoever
 * has one has no clinical role by it. A privacy officer may have theirs either way.
 */
export const DUTIES = [
  'viewer',
  'author',
  'approver',
  'guardian',
  'operator',
  'privacy-officer',
] as const
export type Duty = (typeof DUTIES)[number]

/** With what a service is that asks for itself, without a user: no code of a person gives it. */
export const ROLES = [
  ...USER_ROLES,
  'service',
  'viewer',
  'author',
  'approver',
  'guardian',
  'operator',
] as const satisfies readonly (Duty | (typeof USER_ROLES)[number] | 'service')[]
export type Role = (typeof ROLES)[number]

/** Authenticator assurance level: NIST 800-63B, as CIS2's `authentication_assurance_level`. */
export type Assurance = 1 | 2 | 3
