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
/** With what a service is that asks for itself, without a user: no code of a person gives it. */
export const ROLES = [...USER_ROLES, 'service'] as const
export type Role = (typeof ROLES)[number]

/** Authenticator assurance level: NIST 800-63B, as CIS2's `authentication_assurance_level`. */
export type Assurance = 1 | 2 | 3
