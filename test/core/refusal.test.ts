import { describe, expect, it } from '@jest/globals'
import { REFUSALS, type RefusalCode } from '../../src/core/refusal.js'

/** Failures that an attacker must not tell apart. */
const ALIKE: readonly (readonly RefusalCode[])[] = [
  [
    'launch_malformed',
    'system_unknown',
    'signature_invalid',
    'seal_invalid',
    'launch_misaddressed',
    'launch_future',
    'launch_too_long',
    'rung_unregistered',
  ],
  [
    'launch_expired',
    'launch_replayed',
    'link_invalid',
    'handle_invalid',
    'handle_spent',
    'handle_other_app',
    'handle_other_browser',
  ],
  ['patient_unknown', 'patient_mismatch'],
  [
    'code_invalid',
    'code_spent',
    'code_expired',
    'code_other_client',
    'redirect_mismatch',
    'verifier_mismatch',
    'code_other_key',
  ],
  ['refresh_invalid', 'refresh_spent', 'refresh_ended', 'refresh_other_key'],
  ['client_unproven', 'assertion_replayed'],
  [
    ...['token_invalid', 'token_expired', 'token_ended', 'token_other_audience'],
    ...['token_other_key', 'token_other_certificate'],
  ] as RefusalCode[],
  ['dpop_invalid', 'dpop_replayed'],
  ['record_absent', 'record_other_patient'],
]

describe('the table of refusals', () => {
  it.each(ALIKE.map((codes) => [codes.join(', '), codes] as const))(
    'answers alike for %s',
    (_, codes) => {
      const answers = new Set(codes.map((code) => JSON.stringify(REFUSALS[code])))
      expect(answers.size).toBe(1)
    },
  )

  it('is written in characters that an error_description may have (RFC 6749 §5.2)', () => {
    const texts = Object.values(REFUSALS).map(({ text }) => text)
    expect(texts.filter((text) => !/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/.test(text))).toEqual([])
  })

  it('never says that there is no plan', () => {
    const texts = Object.values(REFUSALS).map(({ text }) => text)
    expect(texts.filter((text) => /no (care )?plan/i.test(text))).toEqual([])
  })

  it('says what to do wherever a clinician may read it', () => {
    const launch = Object.entries(REFUSALS).filter(
      ([code]) => code.startsWith('launch_') && code !== 'launch_scope_missing',
    )
    for (const [, { text }] of launch) expect(text.length).toBeGreaterThan(30)
  })
})
