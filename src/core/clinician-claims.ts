/**
 * What an OpenID provider in the shape of NHS CIS2 says of a clinician: claims of the id_token and of
 * userinfo, joined and judged. Signature, issuer, audience, nonce and expiry have been checked before.
 */
import { z } from 'zod'
import type { Authentication, NamedUser, OdsCode } from './context.js'
import { Refusal } from './refusal.js'
import type { Assurance } from './roles.js'
import { plainText } from './text.js'
import type { Branded, EpochSeconds, Seconds } from './values.js'

/** Identity proofing below this is refused (GPG 45 high, as CIS2's `id_assurance_level`). */
const IDENTITY_LEVEL = 3

const shortText = z.string().min(1).max(200)
const sdsNumber = z.string().regex(/^\d{12}$/)
const code = z.string().regex(/^[\w.:-]{1,64}$/)
/** CIS2 writes levels as text ("3"). */
const level = z.union([z.int().min(0).max(9), z.stringFormat('digit', /^\d$/).transform(Number)])

const idTokenClaims = z.object({
  sub: sdsNumber,
  auth_time: z.number().int().positive(),
  acr: z.string().max(100).optional(),
  amr: z.array(z.string().max(50)).max(10).optional(),
  sid: shortText.optional(),
  authentication_assurance_level: level.pipe(z.int().min(1).max(3)),
  id_assurance_level: level,
  selected_roleid: z.string().max(40).optional(),
})

type Token = z.infer<typeof idTokenClaims>

/** Read strictly once it is the active one: an oddity in another role must not keep its user out. */
const nrbacRole = z.object({
  person_roleid: sdsNumber,
  org_code: z.string().regex(/^[A-Za-z0-9]{1,12}$/),
  role_code: code,
  activity_codes: z.array(code).max(1000).optional(),
})
type NrbacRole = z.infer<typeof nrbacRole>

const userinfoClaims = z.object({
  sub: sdsNumber,
  uid: sdsNumber,
  nhsid_useruid: sdsNumber.optional(),
  name: shortText.optional(),
  given_name: shortText.optional(),
  family_name: shortText.optional(),
  nhsid_nrbac_roles: z
    .array(z.looseObject({ person_roleid: z.string() }))
    .max(200)
    .default([]),
  nhsid_user_orgs: z
    .array(z.object({ org_code: z.string(), org_name: shortText.optional() }))
    .max(500)
    .default([]),
})
type Userinfo = z.infer<typeof userinfoClaims>

/** A clinician whom the provider has proven, in the one role that they chose. Made by {@link readClinician}. */
export type Clinician = Branded<
  {
    readonly user: NamedUser
    /** Where they work in the chosen role. */
    readonly organization: OdsCode
    readonly organizationName?: string
    readonly assurance: Assurance
    readonly authentication: Authentication & { readonly time: EpochSeconds }
    /** The provider, as the exact string of its metadata. */
    readonly issuer: string
    /** The provider's `sid`: what its back-channel logout will name. */
    readonly providerSession?: string
  },
  'Clinician'
>

/** Somebody whom the provider has proven, in no role at all. Made by {@link readPerson}. */
export type Person = Branded<
  {
    /** The provider's own number for them. */
    readonly uid: string
    readonly name: string
    readonly assurance: Assurance
    readonly authentication: Authentication & { readonly time: EpochSeconds }
    readonly issuer: string
    readonly providerSession?: string
  },
  'Person'
>

/** What was asked of the provider, for its answer to be held against. */
export interface Asked {
  readonly now: EpochSeconds
  /** Clock difference allowed. */
  readonly skew: Seconds
  readonly assurance: Assurance
  /** How long ago the user may have signed in. */
  readonly maxAge?: Seconds | undefined
  /** A sign-in before this does not count: set when a fresh one was demanded. */
  readonly since?: EpochSeconds | undefined
}

function read<T>(schema: z.ZodType<T>, claims: unknown, from: string): T {
  const result = schema.safeParse(claims)
  if (result.success) return result.data
  const where = result.error.issues.map((issue) => issue.path.join('.')).join(', ')
  throw new Refusal('sign_on_failed', `${from}: ${where}`.slice(0, 300))
}

const must = (fine: boolean, detail: string): void => {
  if (!fine) throw new Refusal('sign_on_failed', detail)
}

/**
 * The role that the user chose: the entry whose `person_roleid` is the `selected_roleid`. Never the
 * first, never a guess: a list in another order must not make a receptionist a consultant.
 *
 * @throws Refusal role_absent when the user has none at all, role_unselected when none or several match
 */
export function activeRole<R extends { readonly person_roleid: string }>(
  roles: readonly R[],
  selected: string | undefined,
): R {
  if (roles.length === 0) throw new Refusal('role_absent', 'nhsid_nrbac_roles is empty')
  const matching = roles.filter((role) => role.person_roleid === selected)
  const [role] = matching
  if (role === undefined || matching.length > 1) {
    throw new Refusal('role_unselected', `${matching.length} roles match selected_roleid`)
  }
  return role
}

const nameOf = ({ name, given_name, family_name }: Userinfo): string =>
  plainText(name ?? [given_name, family_name].filter(Boolean).join(' '), 120)

const userOf = (userinfo: Userinfo, role: NrbacRole): NamedUser => ({
  localId: userinfo.sub,
  ...(nameOf(userinfo) === '' ? {} : { name: nameOf(userinfo) }),
  sdsUserId: userinfo.sub,
  sdsRoleProfileId: role.person_roleid,
  roleCodes: [role.role_code],
  ...(role.activity_codes === undefined ? {} : { activityCodes: role.activity_codes }),
})

/** @throws Refusal sign_on_failed */
function judge(
  idToken: Token,
  userinfo: Userinfo,
  { now, skew, assurance, maxAge, since }: Asked,
): void {
  const { sub, auth_time: time } = idToken
  must(userinfo.sub === sub && userinfo.uid === sub, 'sub and uid differ')
  must((userinfo.nhsid_useruid ?? sub) === sub, 'sub and nhsid_useruid differ')
  must(idToken.id_assurance_level >= IDENTITY_LEVEL, `identity ${idToken.id_assurance_level}`)
  must(
    idToken.authentication_assurance_level >= assurance,
    `assurance ${idToken.authentication_assurance_level}, asked ${assurance}`,
  )
  must(time <= now + skew, 'auth_time lies in the future')
  must(maxAge === undefined || time >= now - maxAge - skew, 'auth_time is older than max_age')
  must(since === undefined || time >= since - skew, 'auth_time is before the sign-in demanded')
}

/** What both kinds of sign-in know of how it was done. */
const signInOf = (
  token: Token,
  issuer: string,
): Pick<Person, 'assurance' | 'authentication' | 'issuer' | 'providerSession'> => ({
  assurance: token.authentication_assurance_level as Assurance,
  authentication: {
    time: token.auth_time,
    ...(token.acr === undefined ? {} : { acr: token.acr }),
    ...(token.amr === undefined ? {} : { amr: token.amr }),
  },
  issuer,
  ...(token.sid === undefined ? {} : { providerSession: token.sid }),
})

/**
 * The same for somebody who needs no role: joined and judged by all the same rules. Roles that the provider
 * names are not looked at.
 *
 * @throws Refusal sign_on_failed
 */
export function readPerson(
  idToken: unknown,
  userinfo: unknown,
  issuer: string,
  asked: Asked,
): Person {
  const token = read(idTokenClaims, idToken, 'id_token')
  const info = read(userinfoClaims, userinfo, 'userinfo')
  judge(token, info, asked)
  const name = nameOf(info)
  return {
    uid: info.uid,
    name: name === '' ? info.uid : name,
    ...signInOf(token, issuer),
  } as Person
}

/**
 * Joins and judges what the provider says, into the clinician in their active role.
 *
 * @param idToken claims of an id_token that has been verified
 * @param userinfo claims that were fetched with that id_token's access token
 * @throws Refusal sign_on_failed, role_absent, role_unselected
 * @see OIDC Core §3.1.3.7 (12, 13: acr and auth_time), §5.3.2 (sub of userinfo)
 */
export function readClinician(
  idToken: unknown,
  userinfo: unknown,
  issuer: string,
  asked: Asked,
): Clinician {
  const token = read(idTokenClaims, idToken, 'id_token')
  const info = read(userinfoClaims, userinfo, 'userinfo')
  judge(token, info, asked)
  const chosen = activeRole(info.nhsid_nrbac_roles, token.selected_roleid)
  const role = read(nrbacRole, chosen, 'the active role')
  const organizationName = info.nhsid_user_orgs.find(
    ({ org_code }) => org_code === role.org_code,
  )?.org_name
  return {
    user: userOf(info, role),
    organization: role.org_code.toUpperCase() as OdsCode,
    ...(organizationName === undefined
      ? {}
      : { organizationName: plainText(organizationName, 120) }),
    ...signInOf(token, issuer),
  } as Clinician
}
