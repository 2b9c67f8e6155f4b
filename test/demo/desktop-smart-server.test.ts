import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import * as client from 'openid-client'
import { readLaunch } from '../../src/core/launch-claims.js'
import { ASSERTION_TYPE, draftLaunch, type LaunchingUser } from '../../src/demo/desktop-launches.js'
import { createSmartServer, type SmartServer } from '../../src/demo/desktop-smart-server.js'
import { launchSystemRows, PORTRAITS, RELAY } from '../../src/demo/desktop-systems.js'
import { close, type Listening, listen } from './desktop-pretend-gateway.js'
import { USERS } from './desktop-scene.js'

const GATEWAY = 'http://localhost:9'
const REDIRECT = `${GATEWAY}/launch/smart/callback`
const VERIFIER = 'v'.repeat(43)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

let now = Date.now()
let drawn = 0
let listening: Listening
let smart: SmartServer
let issuer: string
const ours = await generateKeyPair('ES256', { extractable: true })
const theirs = await generateKeyPair('ES256', { extractable: true })
const system = {
  ...{ id: 'gp-smart', rung: 'redeemed' as const, claims: PORTRAITS['gp-smart'].claims },
  key: { ...(await exportJWK(theirs.privateKey)), alg: 'ES256', kid: 'smart-1', use: 'sig' },
}
const clock = () => now
const random = (bytes: number) => {
  drawn += 1
  return new Uint8Array(bytes).map((_, i) => (drawn * 7 + i * drawn) % 256)
}

beforeAll(async () => {
  const published = { ...(await exportJWK(ours.publicKey)), kid: 'ours', alg: 'ES256' }
  const clientKeys = createLocalJWKSet({ keys: [published] })
  listening = await listen((origin) => {
    issuer = `${origin}/smart`
    smart = createSmartServer({ issuer, gateway: GATEWAY, system, clock, random, clientKeys })
    return express().use('/smart', smart.router)
  })
})
afterAll(() => close(listening))

const mint = () => {
  const patient = { nhsNumber: '9990000018', birthDate: '1938-03-14' }
  const user = USERS[0] as LaunchingUser
  const draft = draftLaunch({
    ...{ system, user, patient, app: 'care-plan', gateway: GATEWAY, clock, random },
  })
  return smart.mint({ draft, chart: '40101' })
}

type Changes = Readonly<Record<string, string | undefined>>
const fields = (given: Changes) =>
  new URLSearchParams(
    Object.entries(given).flatMap(([k, v]): [string, string][] =>
      v === undefined ? [] : [[k, v]],
    ),
  )

async function authorize(launch: string, changes: Changes = {}) {
  const sent = fields({
    ...{ response_type: 'code', client_id: RELAY.clientId, redirect_uri: REDIRECT, launch },
    ...{ scope: RELAY.scope, aud: issuer, state: 'st', nonce: 'no' },
    ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256', ...changes },
  })
  const answer = await fetch(`${issuer}/authorize?${sent}`, { redirect: 'manual' })
  const location = answer.headers.get('location')
  return { status: answer.status, back: location ? new URL(location).searchParams : undefined }
}

let assertions = 0
async function assertion(changes: Record<string, unknown> = {}): Promise<string> {
  assertions += 1
  const at = Math.floor(now / 1000)
  const claims = { iss: RELAY.clientId, sub: RELAY.clientId, aud: issuer, exp: at + 60, ...changes }
  return new SignJWT({ jti: `a-${assertions}`, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'ours' })
    .sign(ours.privateKey)
}

async function redeem(code: string, changes: Changes = {}) {
  const body = fields({
    ...{ grant_type: 'authorization_code', code, redirect_uri: REDIRECT },
    ...{ code_verifier: VERIFIER, client_assertion_type: ASSERTION_TYPE },
    client_assertion: await assertion(),
    ...changes,
  })
  const answer = await fetch(`${issuer}/token`, { method: 'POST', body })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

const codeOf = async () => (await authorize(mint())).back?.get('code') ?? ''

describe('the authorization server of the GP system that launches by SMART', () => {
  it('gives an ordinary OpenID client the launch’s facts, signed, under its own names', async () => {
    // The client goes by the machine's clock, which moves on: ours may not be behind what it signs, however long that takes.
    now = Date.now() + 30_000
    const configuration = await client.discovery(
      ...([new URL(issuer), RELAY.clientId, undefined] as const),
      client.PrivateKeyJwt({ key: ours.privateKey, kid: 'ours' }),
      { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
    )
    const address = client.buildAuthorizationUrl(configuration, {
      ...{ redirect_uri: REDIRECT, scope: RELAY.scope, aud: issuer, launch: mint() },
      ...{ state: 'st', nonce: 'no' },
      ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256' },
    })
    const answer = await fetch(address, { redirect: 'manual' })
    const back = new URL(answer.headers.get('location') ?? '')
    const tokens = await client.authorizationCodeGrant(configuration, back, {
      ...{ expectedState: 'st', expectedNonce: 'no', pkceCodeVerifier: VERIFIER },
    })
    expect(tokens.patient).toBe('40101')
    expect(tokens.scope).toBe(RELAY.scope)
    const claims = tokens.claims()
    expect(claims).toMatchObject({
      ...{ sub: 'gp', name: 'Dr Amara Okafor', nhs_number: '9990000018', ods_code: 'A83001' },
      ...{ birth_date: '1938-03-14', sds_user_id: '555254239101', purpose: 'direct-care' },
      fhirUser: `${issuer}/Practitioner/gp`,
    })
    const row = launchSystemRows(
      { 'gp-push': system, 'gp-post': system, 'gp-smart': system, 'gp-sealed': system },
      'http://desk.example',
    )
    const registered = row.find(({ id }) => id === 'gp-smart')
    expect(readLaunch(claims, registered as never)).toMatchObject({
      ...{ app: 'care-plan', organization: 'A83001', patient: { nhsNumber: '9990000018' } },
      user: { localId: 'gp', roleCodes: ['S0010:G0020:R0260'], sdsRoleProfileId: '555254240101' },
    })
  })

  it('takes a handle once, and only within its minute', async () => {
    const handle = mint()
    expect((await authorize(handle)).back?.has('code')).toBe(true)
    expect((await authorize(handle)).back?.get('error')).toBe('invalid_request')
    const late = mint()
    now += 60_000
    expect((await authorize(late)).back?.get('error')).toBe('invalid_request')
    expect((await authorize('made-up')).back?.get('error')).toBe('invalid_request')
  })

  it('answers with state and with its name, faults included', async () => {
    const { back } = await authorize(mint(), { aud: 'https://elsewhere.example' })
    expect(Object.fromEntries(back ?? [])).toMatchObject({ iss: issuer, state: 'st' })
    expect(back?.get('error')).toBe('invalid_request')
  })

  it('leaves the handle good when the request around it is not', async () => {
    const handle = mint()
    for (const wrong of [
      { aud: undefined },
      { code_challenge: undefined },
      { code_challenge_method: 'plain' },
      { response_type: 'token' },
      { scope: 'openid' },
    ])
      expect((await authorize(handle, wrong)).back?.has('error')).toBe(true)
    expect((await authorize(handle)).back?.has('code')).toBe(true)
  })

  it('sends nobody to an address or for a client that it does not know', async () => {
    for (const wrong of [{ redirect_uri: `${REDIRECT}/more` }, { client_id: 'another' }])
      expect(await authorize(mint(), wrong)).toEqual({ status: 400, back: undefined })
  })

  it('gives tokens for a code once, to the client that asked, with its verifier', async () => {
    const code = await codeOf()
    const wrong = await redeem(code, { code_verifier: 'w'.repeat(43) })
    expect([wrong.status, wrong.body.error]).toEqual([400, 'invalid_grant'])
    expect((await redeem(code, { redirect_uri: REDIRECT.slice(1) })).status).toBe(400)
    const good = await redeem(code)
    expect(good.status).toBe(200)
    const { payload } = await jwtVerify(String(good.body.id_token), theirs.publicKey, {
      ...{ issuer, audience: RELAY.clientId, currentDate: new Date(now) },
    })
    expect(payload.nonce).toBe('no')
    expect((await redeem(code)).body.error).toBe('invalid_grant')
  })

  it('knows its client by an assertion that is its own, in time and not used before', async () => {
    const once = await assertion()
    expect((await redeem(await codeOf(), { client_assertion: once })).status).toBe(200)
    const stranger = await new SignJWT({ iss: RELAY.clientId, sub: RELAY.clientId, aud: issuer })
      .setProtectedHeader({ alg: 'ES256', kid: 'ours' })
      .sign(theirs.privateKey)
    const bad = [
      once,
      stranger,
      await assertion({ aud: 'https://elsewhere.example' }),
      await assertion({ exp: Math.floor(now / 1000) - 1 }),
      await assertion({ exp: Math.floor(now / 1000) + 3600 }),
      await assertion({ iss: 'another' }),
    ]
    for (const client_assertion of bad) {
      const { status, body } = await redeem(await codeOf(), { client_assertion })
      expect([status, body.error]).toEqual([401, 'invalid_client'])
    }
  })

  it('publishes its public key and nothing more of it', async () => {
    const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: object[] }
    expect(keys).toHaveLength(1)
    expect(keys[0]).not.toHaveProperty('d')
    const smartConfiguration = await fetch(`${issuer}/.well-known/smart-configuration`)
    expect(await smartConfiguration.json()).toMatchObject({
      ...{ issuer, code_challenge_methods_supported: ['S256'] },
    })
  })
})
