/** Who can sign in at the pretend provider, in which roles, and what the provider says of them. */
import type { Assurance } from '../core/roles.js'

/** One place where a person works, in the words of config/demo/people.yaml. */
export interface ProviderRole {
  readonly role_profile: string
  readonly role_code: string
  readonly activities: readonly string[]
  readonly ods: string
  readonly org: string
}

/** A person as config/demo/people.yaml writes them. An empty `role_profile` is no role at all. */
export interface ProviderUser extends ProviderRole {
  readonly id: string
  readonly name: string
  readonly uid: string
  readonly more_roles?: readonly ProviderRole[]
}

/** What a person chose when they signed in. */
export interface Choice {
  readonly user: ProviderUser
  readonly assurance: Assurance
  readonly role?: ProviderRole
}

export const rolesOf = (user: ProviderUser): readonly ProviderRole[] =>
  [user, ...(user.more_roles ?? [])].filter(({ role_profile }) => role_profile !== '')

// biome-ignore format: a table
const JOB_ROLES: Readonly<Record<string, string>> = {
  R0260: 'General Medical Practitioner',
  R0620: 'Staff Nurse',
  R0700: 'Community Nurse',
  R1070: 'Paramedic',
  R1690: 'Call Operator',
  R8000: 'Clinical Practitioner Access Role',
  R8009: 'Receptionist Access Role',
  R8014: 'Social Worker Access Role',
}

// biome-ignore format: a table
const ACTIVITIES: Readonly<Record<string, string>> = {
  B0168: 'Emergency Access',
  B0360: 'View Detailed Health Records',
  B0370: 'View Summary Health Records',
  B0380: 'Perform Detailed Health Record',
  B8028: 'Manage Detailed Health Records',
  B8029: 'Manage Detailed Health Records (extended)',
}

/** The job role of a code, whatever its staff group: `S8000:G8000:R8000` and `R8000` are one role. */
export const jobRole = ({ role_code }: ProviderRole): string =>
  JOB_ROLES[role_code.split(':').at(-1) ?? ''] ?? role_code

/** One entry of `nhsid_nrbac_roles`. `role_name` is three quoted names, as its code is three codes. */
const nrbacRole = (role: ProviderRole) => ({
  person_orgid: `${role.role_profile.slice(0, -3)}9${role.role_profile.slice(-2)}`,
  person_roleid: role.role_profile,
  org_code: role.ods,
  role_name: `"Clinical":"Clinical Provision":"${jobRole(role)}"`,
  role_code: role.role_code,
  activities: role.activities.map((code) => ACTIVITIES[code] ?? code),
  activity_codes: [...role.activities],
})

/** Which scope gives which claims. Claims of the sign-in itself come with `openid`. */
export const CLAIMS = {
  openid: [
    ...['sub', 'uid', 'nhsid_useruid', 'acr', 'amr', 'auth_time'],
    ...['authentication_assurance_level', 'id_assurance_level', 'selected_roleid'],
  ],
  profile: ['name', 'display_name', 'given_name', 'family_name', 'title', 'idassurancelevel'],
  nationalrbacaccess: ['nhsid_nrbac_roles'],
  associatedorgs: ['nhsid_user_orgs'],
  selectedrole: [],
}

/** The id_token's own claims. @param scope as granted: without `selectedrole` the role is not named */
export const idTokenClaims = ({ user, assurance, role }: Choice, scope: string) => ({
  sub: user.uid,
  authentication_assurance_level: `${assurance}`,
  id_assurance_level: '3',
  ...(role && scope.split(' ').includes('selectedrole')
    ? { selected_roleid: role.role_profile }
    : {}),
})

const nameParts = (name: string) => {
  const [first = '', ...rest] = name.split(' ')
  const title = first === 'Dr' ? { title: first } : {}
  const [given_name = '', ...family] = first === 'Dr' ? rest : [first, ...rest]
  return { ...title, given_name, family_name: family.join(' ') }
}

export const userinfoClaims = ({ user }: Choice) => ({
  sub: user.uid,
  uid: user.uid,
  nhsid_useruid: user.uid,
  name: user.name,
  display_name: user.name,
  ...nameParts(user.name),
  idassurancelevel: '3',
  nhsid_nrbac_roles: rolesOf(user).map(nrbacRole),
  nhsid_user_orgs: rolesOf(user).map(({ ods, org }) => ({ org_code: ods, org_name: org })),
})
