/** A read that is merely forwarded: the same server and the same connections as ours, and nothing judged. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Pool } from 'undici'
import { createHttpServer } from '../src/http/server.js'
import { answer } from './answering.js'

let server: Server | undefined
let record: Pool | undefined

async function open({ record: origin }: { readonly record: string }): Promise<string> {
  const pool = new Pool(origin, { connections: 64 })
  record = pool
  const app = express()
  // Nothing that ours does not do either.
  app.disable('etag')
  app.disable('x-powered-by')
  app.get('/{*path}', async (req, res) => {
    const from = await pool.request({ method: 'GET', path: req.originalUrl })
    res.status(from.statusCode).set('content-type', String(from.headers['content-type']))
    res.send(Buffer.from(await from.body.arrayBuffer()))
  })
  server = createHttpServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

answer({ open }, async () => {
  server?.closeAllConnections()
  await record?.close()
})
