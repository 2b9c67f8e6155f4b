import type { Server } from 'node:http'
import { type ConnectionOptions, connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import { createHttpServer } from '../../src/http/server.js'
import { AUTHORITY, OUR_PAIR } from '../access/certificate-scene.js'
import { hangUp, listen } from '../gateway-surroundings.js'

/** What is spoken with a caller that can do no more than this; `undefined` where nothing is. */
const spoken = (port: number, options: ConnectionOptions): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca: AUTHORITY.pem, ...options }, () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
      socket.end()
    })
    socket.on('error', () => resolve(undefined))
  })

describe('our own TLS (RFC 9325 §4.2; FAPI 2.0 §5.2.2)', () => {
  let server: Server
  let port: number
  beforeAll(async () => {
    server = createHttpServer(express(), OUR_PAIR)
    port = await listen(server)
  })
  afterAll(() => hangUp(server))

  it('is TLS 1.3 with whoever can speak it', async () => {
    expect(await spoken(port, {})).toMatch(/^TLSv1\.3 TLS_AES_/)
  })

  it.each(['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'])(
    'is TLS 1.2 by %s with whoever cannot',
    async (ciphers) => {
      expect(await spoken(port, { maxVersion: 'TLSv1.2', ciphers })).toBe(`TLSv1.2 ${ciphers}`)
    },
  )

  it.each([
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-ECDSA-AES256-SHA',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-CCM',
  ])('is never by %s', async (ciphers) => {
    expect(await spoken(port, { maxVersion: 'TLSv1.2', ciphers })).toBeUndefined()
  })
})
