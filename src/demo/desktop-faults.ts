/**
 * The usual faults, as rows: what each does to a launch, and which refusal it must meet on which rung.
 * A fault changes a draft before it is signed, how it is signed, or how it is delivered.
 */
import type { SystemRung } from '../core/context.js'
import type { RefusalCode } from '../core/refusal.js'

/** The launch token's claims under our own names. @see docs/integrating.md, "Launch token" */
export interface LaunchTokenClaims {
  readonly iss: string
  readonly aud: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly sub: string
  readonly app: string
  readonly patient: { readonly nhs_number: string; readonly birth_date?: string }
  readonly practitioner: {
    readonly name: string
    readonly sds_user_id?: string
    readonly sds_role_profile_id?: string
    readonly role_codes: readonly string[]
    readonly activity_codes: readonly string[]
  }
  readonly organization: { readonly ods_code: string }
  readonly purpose: string
  readonly encounter?: string
  readonly intent?: string
  readonly device?: string
  /** A FHIR Bundle of the GP system's own record. */
  readonly data?: object
}

/** `twice`: used once before the user's browser gets it. `made-up-handle`: past the gateway, straight to the app. */
export type Delivery =
  | 'once'
  | 'twice'
  | 'repeated-parameter'
  | 'clear-text'
  | 'opened-link'
  | 'altered-link'
  | 'made-up-handle'

export interface LaunchDraft {
  readonly rung: SystemRung
  readonly claims: LaunchTokenClaims
  readonly signing: 'own' | 'other-system' | 'unknown-key' | 'none'
  /** Put in the place of what was signed, the signature kept. */
  readonly swapped?: LaunchTokenClaims
  readonly delivery: Delivery
}

export interface Fault {
  readonly title: string
  /** What it does to the launch, in plain words. */
  readonly does: string
  /** The refusal that it must meet, on the rungs on which it can be tried; `completes`: it must not be refused. */
  readonly expected: Readonly<Partial<Record<SystemRung, RefusalCode | 'completes'>>>
  readonly apply: (draft: LaunchDraft) => LaunchDraft
}

const claims =
  (change: (claims: LaunchTokenClaims) => Partial<LaunchTokenClaims>) =>
  (draft: LaunchDraft): LaunchDraft => ({
    ...draft,
    claims: { ...draft.claims, ...change(draft.claims) },
  })
const delivered =
  (delivery: Delivery) =>
  (draft: LaunchDraft): LaunchDraft => ({ ...draft, delivery })
const signed =
  (signing: LaunchDraft['signing']) =>
  (draft: LaunchDraft): LaunchDraft => ({ ...draft, signing })

const times = (iat: number, exp: number) =>
  claims((sent) => ({ iat: sent.iat + iat, exp: sent.iat + exp }))

/** Another digit in the last place fails the check, whatever the other nine are. */
const otherDigit = (nhsNumber: string): string =>
  nhsNumber.slice(0, 9) + String((Number(nhsNumber[9]) + 1) % 10)

/** The day after: within the month, so that the day exists. */
const otherDay = (birthDate: string | undefined): string =>
  `${birthDate?.slice(0, 8) ?? '1950-01-'}${birthDate?.endsWith('-15') ? '16' : '15'}`

/** Somebody whose role could do more than the sender's own. */
const impostor = (sent: LaunchTokenClaims): LaunchTokenClaims => ({
  ...sent,
  sub: 'somebody-else',
  practitioner: {
    name: 'Somebody Else',
    sds_user_id: '555254239199',
    sds_role_profile_id: '555254240199',
    role_codes: ['S0010:G0020:R0260'],
    activity_codes: ['B0360', 'B0380'],
  },
})

/** Nothing is signed on the sealed rung: there the seal itself names somebody else than who then signs in. */
const wrongUser = (draft: LaunchDraft): LaunchDraft =>
  draft.rung === 'sealed'
    ? { ...draft, claims: impostor(draft.claims) }
    : { ...draft, swapped: impostor(draft.claims) }

const [SOMEBODY, SOMEBODY_ELSE] = ['9990000026', '9990000018']
const dataAbout = (value: string) => ({
  ...{ resourceType: 'Bundle', type: 'collection' },
  entry: [
    {
      resource: {
        ...{ resourceType: 'Condition', code: { text: 'Asthma' } },
        subject: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value } },
      },
    },
  ],
})

const tokens = (code: RefusalCode) => ({ pushed: code, signed: code })
const facts = (code: RefusalCode) => ({ pushed: code, signed: code, redeemed: code })
const all = (code: RefusalCode | 'completes') => ({
  ...{ pushed: code, signed: code, redeemed: code, sealed: code },
})

// biome-ignore format: a table
export const FAULTS = {
  'expired':            { title: 'Expired launch',              does: 'The launch was made five minutes ago and ended four minutes ago.',                          expected: { ...tokens('launch_expired'), sealed: 'launch_expired' },                                  apply: times(-300, -240) },
  'future':             { title: 'Launch from the future',      does: 'The launch says that it was made in five minutes’ time: a wrong clock, or a token kept for later.', expected: tokens('launch_future'),                                apply: times(300, 360) },
  'too-long':           { title: 'Launch that lives too long',  does: 'The launch would be good for an hour.',                                                     expected: tokens('launch_too_long'),                                       apply: times(0, 3600) },
  'replay':             { title: 'Replay',                      does: 'The same launch is sent twice: somebody copied it on its way.',                       expected: { ...tokens('launch_replayed'), redeemed: 'sign_on_failed', sealed: 'launch_replayed' },                                  apply: delivered('twice') },
  'wrong-user':         { title: 'Wrong user',                  does: 'The launch names another user than the one who is signed in, who could see more.',          expected: { ...tokens('signature_invalid'), sealed: 'person_mismatch' },    apply: wrongUser },
  'wrong-signature':    { title: 'Wrong signature',             does: 'The launch is signed with the key of another GP system.',                                   expected: { ...tokens('signature_invalid'), redeemed: 'sign_on_failed', sealed: 'seal_invalid' },        apply: signed('other-system') },
  'unknown-key':        { title: 'Unknown key',                 does: 'The launch is signed with a key that nobody registered.',                                   expected: { ...tokens('signature_invalid'), redeemed: 'sign_on_failed' },                                     apply: signed('unknown-key') },
  'alg-none':           { title: 'No signature (alg: none)',    does: 'The launch says of itself that it needs no signature.',                                     expected: tokens('signature_invalid'),                                     apply: signed('none') },
  'misaddressed':       { title: 'Meant for somebody else',     does: 'The launch is addressed to another gateway.',                                               expected: tokens('launch_misaddressed'),                                   apply: claims(() => ({ aud: 'https://gateway.elsewhere.example' })) },
  'unregistered-app':   { title: 'Unregistered app',            does: 'The launch asks for an app that this system may not open.',                                 expected: all('app_refused'),                                              apply: claims(() => ({ app: 'another-app' })) },
  'organization':       { title: 'Organisation not registered', does: 'The launch speaks for an organisation outside this system’s registration.',                 expected: all('organization_refused'),                                     apply: claims(() => ({ organization: { ods_code: 'X99999' } })) },
  'birth-date':         { title: 'Another date of birth',       does: 'The NHS number is the patient’s, the date of birth is not: the wrong record may be open.',  expected: facts('patient_mismatch'),                                       apply: claims(({ patient }) => ({ patient: { ...patient, birth_date: otherDay(patient.birth_date) } })) },
  'other-chart':        { title: 'Data of another chart',       does: 'The launch is of one patient, the problems that come with it are of another: two charts were open.', expected: tokens('launch_data_other_patient'),                     apply: claims(({ patient }) => ({ data: dataAbout(patient.nhs_number === SOMEBODY ? SOMEBODY_ELSE : SOMEBODY) })) },
  'check-digit':        { title: 'Mistyped NHS number',         does: 'The last digit of the NHS number is wrong.',                                                expected: all('nhs_number_invalid'),                                       apply: claims(({ patient }) => ({ patient: { ...patient, nhs_number: otherDigit(patient.nhs_number) } })) },
  'unknown-patient':    { title: 'Patient not in the record',   does: 'A valid NHS number that the shared record does not know.',                                  expected: facts('patient_unknown'),                                        apply: claims(({ patient }) => ({ patient: { ...patient, nhs_number: '9990999996' }, data: { resourceType: 'Bundle', type: 'collection' } })) },
  'clear-text':         { title: 'Clear text',                  does: 'Patient and user are sent as they are, neither signed nor sealed.',                         expected: { signed: 'launch_clear_text', sealed: 'seal_invalid' },    apply: delivered('clear-text') },
  'repeated-parameter': { title: 'Parameter sent twice',        does: 'The form holds two launch tokens: which one counts?',                                       expected: { pushed: 'parameter_repeated', signed: 'parameter_repeated' },  apply: delivered('repeated-parameter') },
  'opened-link':        { title: 'Link opened before',          does: 'Another browser opened the pushed link first. The first one owns the launch.',              expected: { pushed: 'launch_replayed' },                                   apply: delivered('opened-link') },
  'altered-link':       { title: 'Altered link',                does: 'One character of the pushed link, or of the handle, is changed.',                                              expected: { pushed: 'link_invalid', redeemed: 'sign_on_failed' },          apply: delivered('altered-link') },
  'made-up-handle':     { title: 'Made-up handle',              does: 'The app is opened past the gateway, with a launch handle that nobody issued.',              expected: all('handle_invalid'),                                           apply: delivered('made-up-handle') },
  'cookies-blocked':    { title: 'Third-party cookies blocked', does: 'Nothing is changed. Block third-party cookies in the browser’s settings (Privacy and security), then try this: the launch still completes, because no step of it needs such a cookie.', expected: all('completes'), apply: (draft) => draft },
} as const satisfies Record<string, Fault>

export type FaultName = keyof typeof FAULTS
export const isFault = (name: unknown): name is FaultName =>
  typeof name === 'string' && Object.hasOwn(FAULTS, name)

/** The faults that can be tried on a rung, in the order of the table. */
export const faultsOf = (rung: SystemRung): readonly FaultName[] =>
  (Object.keys(FAULTS) as FaultName[]).filter((name) => Object.hasOwn(FAULTS[name].expected, rung))

export const expectedOf = (
  name: FaultName,
  rung: SystemRung,
): RefusalCode | 'completes' | undefined =>
  (FAULTS as Record<FaultName, Fault>)[name].expected[rung]

/** What the fault makes of a draft. The draft itself stays as it is. */
export const applyFault = (name: FaultName, draft: LaunchDraft): LaunchDraft =>
  FAULTS[name].apply(draft)
