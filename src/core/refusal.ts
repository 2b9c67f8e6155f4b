/**
 * Every message that we refuse, as rows. `code` is for us and the trail, `wire` for the protocol,
 * `text` for anyone: it says what happened and what to do. Two failures that an attacker could tell
 * apart share one text (a test says so). Detail goes to the trail, never into an answer.
 */
import type { Happening } from './audit.js'

export interface RefusalRow {
  /** The OAuth or OpenID Connect error code (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1). */
  readonly wire: string
  readonly status: number
  readonly text: string
  /** The status at a resource, where it is another one. */
  readonly atResource?: number
}

const LAUNCH_UNPROVEN =
  'This launch could not be proven. Close it and open the care plan again from the patient record.'
const LAUNCH_OVER =
  'This launch has expired or was already used. Open the care plan again from the patient record.'
const CODE_INVALID = 'The authorization code is not valid.'
const REFRESH_INVALID = 'The refresh token is not valid.'
const CLIENT_UNPROVEN = 'The client could not be authenticated.'
const SUBJECT_INVALID = 'The subject token is not valid.'
const PROOF_INVALID = 'The DPoP proof is not valid.'
const TOKEN_INVALID = 'The access token is not valid.'
const PATIENT_UNMATCHED =
  'The patient could not be matched with the shared record. Check the NHS number and the date of birth in the patient record.'
const DEVICE_OVER = 'This sign-in has expired or was used already. Begin again.'
const NOT_FOUND = 'Nothing was found here.'

// biome-ignore format: a table
export const REFUSALS = {
  // Any endpoint
  parameter_missing:     { wire: 'invalid_request', status: 400, text: 'A required parameter is missing.' },
  parameter_repeated:    { wire: 'invalid_request', status: 400, text: 'A parameter was sent more than once.' },
  parameter_invalid:     { wire: 'invalid_request', status: 400, text: 'A parameter is not valid.' },
  body_too_large:        { wire: 'invalid_request', status: 413, text: 'The message is too large.' },
  body_unreadable:       { wire: 'invalid_request', status: 400, text: 'The message could not be read.' },
  form_invalid:          { wire: 'invalid_request', status: 400, text: 'This page has expired, was already used, or belongs to another browser. Go back and try again.' },
  rate_limited:          { wire: 'temporarily_unavailable', status: 429, text: 'Too much was asked from here, or too much that did not work.' },
  not_found:             { wire: 'not_found', status: 404, text: NOT_FOUND },

  // Launch
  launch_clear_text:     { wire: 'invalid_request', status: 400, text: 'A launch must be signed or sealed. Patient details in clear text are refused.' },
  launch_malformed:      { wire: 'invalid_request', status: 400, text: LAUNCH_UNPROVEN },
  system_unknown:        { wire: 'invalid_request', status: 400, text: LAUNCH_UNPROVEN },
  signature_invalid:     { wire: 'invalid_request', status: 400, text: LAUNCH_UNPROVEN },
  seal_invalid:          { wire: 'invalid_request', status: 400, text: LAUNCH_UNPROVEN },
  launch_misaddressed:   { wire: 'invalid_request', status: 400, text: LAUNCH_UNPROVEN },
  launch_future:         { wire: 'invalid_request', status: 400, text: LAUNCH_UNPROVEN },
  launch_too_long:       { wire: 'invalid_request', status: 400, text: LAUNCH_UNPROVEN },
  rung_unregistered:     { wire: 'invalid_request', status: 400, text: LAUNCH_UNPROVEN },
  organization_refused:  { wire: 'invalid_request', status: 403, text: 'This organisation is not registered to open care plans from this system. Ask your support desk.' },
  launch_data_other_patient: { wire: 'invalid_request', status: 400, text: 'This launch carried data of another patient than the one that it opens. Nothing was opened. Close it, check which record is open, and try again; if it stays so, ask your support desk.' },
  context_refused:       { wire: 'invalid_request', status: 400, text: 'This launch carried details that the app does not take. Ask your support desk.' },
  app_refused:           { wire: 'invalid_request', status: 403, text: 'This app may not be opened from this system. Ask your support desk.' },
  launch_expired:        { wire: 'invalid_request', status: 400, text: LAUNCH_OVER },
  launch_replayed:       { wire: 'invalid_request', status: 400, text: LAUNCH_OVER },
  link_invalid:          { wire: 'invalid_request', status: 400, text: LAUNCH_OVER },
  handle_invalid:        { wire: 'invalid_request', status: 400, text: LAUNCH_OVER },
  handle_spent:          { wire: 'invalid_request', status: 400, text: LAUNCH_OVER },
  handle_other_app:      { wire: 'invalid_request', status: 400, text: LAUNCH_OVER },
  handle_other_browser:  { wire: 'invalid_request', status: 400, text: LAUNCH_OVER },
  patient_unknown:       { wire: 'invalid_request', status: 404, text: PATIENT_UNMATCHED },
  patient_mismatch:      { wire: 'invalid_request', status: 404, text: PATIENT_UNMATCHED },
  patient_in_several:    { wire: 'invalid_request', status: 409, text: 'Several shared records know this patient, and we cannot tell which one to open. Nothing was opened. Ask your support desk.' },
  nhs_number_invalid:    { wire: 'invalid_request', status: 400, text: 'The launch did not carry a valid NHS number. Check the NHS number in the patient record.' },
  record_unavailable:    { wire: 'temporarily_unavailable', status: 503, text: 'The shared record could not be reached, so we do not know whether there is a plan. Try again in a moment.' },
  upstream_invalid:      { wire: 'temporarily_unavailable', status: 502, text: 'The shared record gave an answer that could not be used. Try again in a moment.' },
  launch_denied:         { wire: 'access_denied', status: 403, text: 'Your role does not allow opening this care plan.' },
  emergency_own:         { wire: 'access_denied', status: 403, text: 'Emergency access is reviewed by somebody else than whoever used it.' },
  emergency_closed:      { wire: 'conflict', status: 409, text: 'This emergency access has been reviewed already.' },
  outcome_absent:        { wire: 'not_found', status: 404, text: NOT_FOUND },
  outcome_open:          { wire: 'launch_open', status: 409, text: 'This launch is still open, and more may be written in it. End it with POST /launch/end, or ask again when it is over.' },
  outcome_released:      { wire: 'outcome_fetched', status: 409, text: 'The outcome of this launch has been fetched, or is being fetched just now. It is given once; the request that got it may be repeated for five minutes, under its Idempotency-Key.' },
  policy_stale:          { wire: 'temporarily_unavailable', status: 503, text: 'Access rules could not be checked just now. Try again in a moment.' },
  policy_changed:        { wire: 'temporarily_unavailable', status: 503, text: 'Access rules were changed while this was being answered. Nothing was done: try again.' },

  // Sign-on
  sign_on_failed:        { wire: 'access_denied', status: 403, text: 'You could not be signed in. Open the care plan again from the patient record.' },
  sign_on_cancelled:     { wire: 'access_denied', status: 403, text: 'Sign-in was cancelled. Open the care plan again from the patient record.' },
  sign_on_unavailable:   { wire: 'temporarily_unavailable', status: 503, text: 'The sign-in service could not be reached. Try again in a moment.' },
  sign_on_state_invalid: { wire: 'invalid_request', status: 400, text: 'This sign-in has expired or belongs to another window. Open the care plan again from the patient record.' },
  person_mismatch:       { wire: 'access_denied', status: 403, text: 'You signed in as a different person from the one using the patient record. Sign in there as yourself and open the care plan again.' },
  role_absent:           { wire: 'access_denied', status: 403, text: 'You have no role that can open care plans. Ask your registration authority for one.' },
  role_unselected:       { wire: 'access_denied', status: 403, text: 'No role was chosen at sign-in. Sign in again and choose a role.' },
  birth_date_exhausted:  { wire: 'access_denied', status: 403, text: 'The date of birth did not match. Open the care plan again from the patient record.' },
  logout_token_invalid:  { wire: 'invalid_request', status: 400, text: 'The logout token is not valid.' },

  // The security team's console
  console_stranger:      { wire: 'access_denied', status: 403, text: 'You have no duty in this console. A guardian of the policies can give you one.' },
  console_signed_out:    { wire: 'access_denied', status: 403, text: 'You are not signed in to the console any more, so nothing was done. Sign in and try again.' },
  console_form_refused:  { wire: 'access_denied', status: 403, text: 'This form did not come from your own console page, or that page is older than your sign-in. Nothing was done: go back and try again.' },
  command_signed_out:    { wire: 'invalid_token', status: 401, text: 'This command is not signed in, or not any more. Sign in again.' },
  device_expired:        { wire: 'expired_token', status: 400, text: DEVICE_OVER },
  device_spent:          { wire: 'expired_token', status: 400, text: DEVICE_OVER },
  device_denied:         { wire: 'access_denied', status: 400, text: 'The sign-in of this command was refused in the console.' },
  check_unfinished:      { wire: 'temporarily_unavailable', status: 503, text: 'It could not be checked just now: too much else is. Try again in a moment.' },
  console_denied:        { wire: 'access_denied', status: 403, text: 'Your duties do not allow this.' },

  // Authorize
  client_unknown:        { wire: 'invalid_request', status: 400, text: 'This app is not registered.' },
  redirect_unregistered: { wire: 'invalid_request', status: 400, text: 'The app asked to return to an address that it has not registered.' },
  response_type_unsupported:{ wire: 'unsupported_response_type', status: 400, text: 'Only response_type=code is offered.' },
  audience_invalid:      { wire: 'invalid_request', status: 400, text: 'The aud parameter does not name this server.' },
  pkce_required:         { wire: 'invalid_request', status: 400, text: 'PKCE is required: code_challenge, with code_challenge_method=S256.' },
  scope_invalid:         { wire: 'invalid_scope', status: 400, text: 'Nothing of the scope parameter is registered for this app.' },
  launch_scope_missing:  { wire: 'invalid_scope', status: 400, text: 'The scope launch is required when a launch parameter is sent.' },
  launch_required:       { wire: 'invalid_request', status: 400, text: 'The launch parameter is required, or the scope launch/patient in its place: open the app from the patient record.' },
  authorization_denied:  { wire: 'access_denied', status: 403, text: 'Your role does not allow what the app asked for.' },
  login_required:        { wire: 'login_required', status: 403, text: 'The user is not signed in as the app asked for.' },
  interaction_required:  { wire: 'interaction_required', status: 403, text: 'The user has to choose, and the app asked for no page.' },
  request_unsupported:   { wire: 'request_not_supported', status: 400, text: 'Request objects are not registered for this app.' },
  request_uri_unsupported:{ wire: 'request_uri_not_supported', status: 400, text: 'Only request_uri values that this server gave are accepted.' },
  request_uri_invalid:   { wire: 'invalid_request_uri', status: 400, text: 'The request_uri has expired or was already used.' },
  request_object_invalid:{ wire: 'invalid_request_object', status: 400, text: 'The request object is not valid.' },
  push_required:         { wire: 'invalid_request', status: 400, text: 'This app must push its authorization requests.' },
  details_invalid:       { wire: 'invalid_authorization_details', status: 400, text: 'The authorization_details are not registered for this app, or not of this server.' },
  session_ended:         { wire: 'access_denied', status: 403, text: 'Your session has ended. Open the care plan again from the patient record.' },

  // Registration
  registration_unproven: { wire: 'invalid_token', status: 401, text: 'The registration could not be proven.' },
  registration_full:     { wire: 'temporarily_unavailable', status: 503, text: 'No more apps can register just now. Ask the operator.' },
  registration_under_way:{ wire: 'temporarily_unavailable', status: 503, text: 'The registration is being changed just now. Try again in a moment.' },
  redirect_invalid:      { wire: 'invalid_redirect_uri', status: 400, text: 'A redirect address is not one that can be registered.' },
  metadata_invalid:      { wire: 'invalid_client_metadata', status: 400, text: 'The metadata cannot be registered.' },
  statement_invalid:     { wire: 'invalid_software_statement', status: 400, text: 'The software statement is not valid.' },
  statement_unapproved:  { wire: 'unapproved_software_statement', status: 400, text: 'The software statement is of nobody whose word counts here.' },

  // Changing the policies
  draft_unknown:         { wire: 'not_found', status: 404, text: 'There is no such draft.' },
  draft_invalid:         { wire: 'invalid_request', status: 400, text: 'The draft cannot be taken as it is.' },
  draft_too_large:       { wire: 'invalid_request', status: 413, text: 'The files of the draft are too many or too large.' },
  drafts_full:           { wire: 'temporarily_unavailable', status: 503, text: 'Too many drafts are open. Publish or abandon one first.' },
  layer_refused:         { wire: 'access_denied', status: 403, text: 'This draft may not change that file: it belongs to another layer.' },
  guardian_required:     { wire: 'access_denied', status: 403, text: 'Only those who guard the invariants may change this.' },
  person_unproven:       { wire: 'access_denied', status: 403, text: 'Your sign-in does not say which person you are, so you may not change policies.' },
  draft_changed:         { wire: 'conflict', status: 409, text: 'Somebody else changed the draft in the meantime. Look at it again.' },
  draft_stage:           { wire: 'conflict', status: 409, text: 'The draft is not at the stage at which this can be done. Look at it again.' },
  draft_unchanged:       { wire: 'conflict', status: 409, text: 'The draft changes nothing.' },
  draft_outdated:        { wire: 'conflict', status: 409, text: 'Another version has come into force since this was begun. Bring it up to that version first.' },
  draft_other_hash:      { wire: 'conflict', status: 409, text: 'The draft no longer holds what you saw. Look at it again.' },
  draft_own:             { wire: 'access_denied', status: 403, text: 'Another person has to do this: not one of those who wrote or proposed it.' },
  draft_unfit:           { wire: 'invalid_request', status: 422, text: 'Something is wrong with these policies. Mend it first.' },
  approval_expired:      { wire: 'conflict', status: 409, text: 'The approval has expired. Have the draft approved again.' },
  lockout_refused:       { wire: 'invalid_request', status: 422, text: 'This would lock out everybody who can change policies.' },
  policy_version_unknown:{ wire: 'not_found', status: 404, text: 'There is no such policy version.' },

  // Token
  grant_type_unsupported:{ wire: 'unsupported_grant_type', status: 400, text: 'This grant type is not offered.' },
  grant_type_unregistered:{ wire: 'unauthorized_client', status: 400, text: 'The client is not registered for this grant type.' },
  client_unproven:       { wire: 'invalid_client', status: 401, text: CLIENT_UNPROVEN },
  assertion_replayed:    { wire: 'invalid_client', status: 401, text: CLIENT_UNPROVEN },
  code_invalid:          { wire: 'invalid_grant', status: 400, text: CODE_INVALID },
  code_spent:            { wire: 'invalid_grant', status: 400, text: CODE_INVALID },
  code_expired:          { wire: 'invalid_grant', status: 400, text: CODE_INVALID },
  code_other_client:     { wire: 'invalid_grant', status: 400, text: CODE_INVALID },
  redirect_mismatch:     { wire: 'invalid_grant', status: 400, text: CODE_INVALID },
  verifier_mismatch:     { wire: 'invalid_grant', status: 400, text: CODE_INVALID },
  code_other_key:        { wire: 'invalid_grant', status: 400, text: CODE_INVALID },
  refresh_invalid:       { wire: 'invalid_grant', status: 400, text: REFRESH_INVALID },
  refresh_spent:         { wire: 'invalid_grant', status: 400, text: REFRESH_INVALID },
  refresh_ended:         { wire: 'invalid_grant', status: 400, text: REFRESH_INVALID },
  refresh_under_way:     { wire: 'temporarily_unavailable', status: 503, text: 'The token is being renewed just now. Try again in a moment.' },
  refresh_other_key:     { wire: 'invalid_grant', status: 400, text: REFRESH_INVALID },
  subject_token_invalid: { wire: 'invalid_request', status: 400, text: SUBJECT_INVALID },
  subject_token_refused: { wire: 'invalid_request', status: 400, text: SUBJECT_INVALID },
  target_invalid:        { wire: 'invalid_target', status: 400, text: 'The token is not good there, so no other can be made of it that is.' },
  scope_exceeded:        { wire: 'invalid_scope', status: 400, text: 'More scope was asked for than was granted.' },

  // DPoP, at the token endpoint and at resources
  dpop_invalid:          { wire: 'invalid_dpop_proof', status: 400, atResource: 401, text: PROOF_INVALID },
  dpop_replayed:         { wire: 'invalid_dpop_proof', status: 400, atResource: 401, text: PROOF_INVALID },
  dpop_nonce_required:   { wire: 'use_dpop_nonce', status: 400, atResource: 401, text: 'The DPoP proof must carry the nonce that the DPoP-Nonce header of this answer gives.' },

  // Record
  token_missing:         { wire: 'invalid_token', status: 401, text: 'An access token is required.' },
  token_invalid:         { wire: 'invalid_token', status: 401, text: TOKEN_INVALID },
  token_expired:         { wire: 'invalid_token', status: 401, text: TOKEN_INVALID },
  token_ended:           { wire: 'invalid_token', status: 401, text: TOKEN_INVALID },
  token_other_audience:  { wire: 'invalid_token', status: 401, text: TOKEN_INVALID },
  token_other_key:       { wire: 'invalid_token', status: 401, text: TOKEN_INVALID },
  token_other_certificate:{ wire: 'invalid_token', status: 401, text: TOKEN_INVALID },
  scope_insufficient:    { wire: 'insufficient_scope', status: 403, text: 'The access token does not allow this.' },
  policy_denied:         { wire: 'insufficient_scope', status: 403, text: 'Your role does not allow this.' },
  interaction_refused:   { wire: 'insufficient_scope', status: 403, text: 'This interaction is not offered here.' },
  record_absent:         { wire: 'not_found', status: 404, text: NOT_FOUND },
  record_other_patient:  { wire: 'not_found', status: 404, text: NOT_FOUND },
  record_refused:       { wire: 'invalid_request', status: 422, text: 'The shared record did not accept this.' },
  provenance_unproven:   { wire: 'invalid_request', status: 422, text: 'What is said to come from the GP record did not come with this launch.' },
  resource_refused:      { wire: 'invalid_request', status: 422, text: 'What is written must be about the patient in context, and may name no other.' },
  reference_refused:     { wire: 'invalid_request', status: 422, text: 'What is written refers to something that is not there, or that cannot be read in this launch.' },
  label_missing:         { wire: 'invalid_request', status: 422, text: 'A security label of what is changed may not be left out.' },
  condition_ambiguous:   { wire: 'conflict', status: 412, text: 'More than one resource meets the condition.' },
  patch_failed:          { wire: 'invalid_request', status: 422, text: 'The patch does not fit what it is for.' },
  write_unknown:         { wire: 'temporarily_unavailable', status: 503, text: 'It is not known whether this was saved. Read the section again before you rely on it or change it.' },
  context_missing:      { wire: 'invalid_request', status: 400, text: 'The Launch-Context header is required, with the __context of the token response.' },
  context_other:        { wire: 'context_other', status: 409, text: 'This change was made in another care plan than the one that it was sent with. Nothing was saved.' },
  context_superseded:   { wire: 'context_superseded', status: 409, text: 'Another care plan has been opened from the patient record since. This one can still be read, and nothing more can be saved in it.' },
  context_closed:       { wire: 'context_superseded', status: 409, text: 'The patient record has closed this care plan: what was changed in it has been handed back there. Nothing more can be saved in it.' },
  unsaved_under_way:     { wire: 'temporarily_unavailable', status: 503, text: 'Unsaved changes of yours are being kept from another page just now. Try again in a moment.' },
  version_missing:       { wire: 'invalid_request', status: 400, text: 'If-Match with the version that was read is required.' },
  version_outdated:      { wire: 'conflict', status: 409, text: 'Somebody else changed this since it was read.' },
  version_stale:         { wire: 'conflict', status: 412, text: 'Somebody else changed this since it was read.' },
} as const satisfies Record<string, RefusalRow>

export type RefusalCode = keyof typeof REFUSALS

/** A message that we refuse. Thrown anywhere, answered in one place (http/refusals.ts). */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly told: string | undefined
  readonly facts: Happening['detail']
  readonly policy: Happening['policy']
  constructor(
    readonly code: RefusalCode,
    /** For the trail only. Never a secret, an NHS number or clinical content. */
    readonly detail: string,
    options?: ErrorOptions & {
      /** What of it the answer says: names of our own parameters and words of ours, never what was sent. */
      readonly told?: string
      /** Members of the entry's detail, beside `why`. As little a secret as that. */
      readonly facts?: Happening['detail']
      /** What the policies said, where they refused. */
      readonly policy?: Happening['policy']
    },
  ) {
    super(`${code}: ${detail}`, options)
    this.told = options?.told
    this.facts = options?.facts
    this.policy = options?.policy
  }
}

/** Names the parameter to whoever sent it: what is wrong with it is no secret to them. */
export const parameterFault = (
  code: 'parameter_missing' | 'parameter_invalid',
  name: string,
  options?: ErrorOptions,
): Refusal => new Refusal(code, name, { ...options, told: name })
