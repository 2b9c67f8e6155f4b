/** Whom and whose the trail's entries name: searches must find all of them by the same words. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { call, claimsIn, launchTo, type Tokens, tokensOf } from '../app-by-hand.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { localOnly, PEGGY } from '../launching.js'
import { entriesOf } from '../trail-reading.js'

jest.setTimeout(60_000)

/** What follows the launch's own entries, once the app has its tokens and has read something. */
const FROM_THE_GRANT_ON = [
  'authorization_asked',
  'decision_made',
  'grant_opened',
  'token_issued',
  'access_allowed',
  'token_issued',
]

describe('the trail of a launch', () => {
  let t: TestGateway
  let tokens: Tokens
  let renewed: string
  beforeAll(async () => {
    t = await openTestGateway({ store: 'embedded' })
    const launched = await launchTo(t, {
      system: 'gp-push',
      claims: (claims) => ({ ...localOnly(claims), sub: 'dr.müller' }),
    })
    tokens = launched.tokens
    await call(t, tokens.access_token, `/fhir/Patient/${tokens.patient}`)
    const answer = await launched.app.refresh(tokens)
    renewed = JSON.stringify([answer.text, claimsIn(tokensOf(answer).access_token)])
  }, 60_000)
  afterAll(() => t?.close())

  const found = async (query: object) => (await entriesOf(t, query)).map(({ what }) => what)

  it('is found by the patient’s NHS number to its end: tokens and reads as well', async () => {
    const whole = await found({ launch: tokens.__launch })
    expect(await found({ launch: tokens.__launch, patient: PEGGY })).toEqual(whole)
    expect(whole.slice(-6)).toEqual(FROM_THE_GRANT_ON)
  })

  it('is found by its user, whom every entry calls the same, with the system that knows them', async () => {
    const launch = tokens.__launch
    const entries = await found({ launch, user: 'gp-push/dr.müller' })
    expect(entries.slice(-6)).toEqual(FROM_THE_GRANT_ON)
    expect(await found({ launch, user: 'dr.müller' })).not.toContain('token_issued')
  })

  it('is found by the user’s organisation, tokens included', async () => {
    const entries = await found({ launch: tokens.__launch, organization: 'A83001' })
    expect(entries.slice(-6)).toEqual(FROM_THE_GRANT_ON)
  })

  it('keeps the NHS number to itself: no token and no answer to the app holds it', () => {
    const given = JSON.stringify([tokens, claimsIn(tokens.access_token), claimsIn(tokens.id_token)])
    expect(given + renewed).not.toContain(PEGGY)
  })
})
