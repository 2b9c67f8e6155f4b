import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { pino } from 'pino'
import { openGateway } from '../src/open.js'
import { openRedis } from '../src/store/redis.js'
import { openTestGateway, STORES, type TestGateway } from './gateway.js'

jest.setTimeout(60_000)

const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
const log = pino({ level: 'silent' })

describe.each(STORES)('the demonstration and real patients, on the %s store', (store) => {
  let t: TestGateway
  const open = (allowHttp: boolean) =>
    openGateway(t.config, { clock: t.clock, random, log, allowHttp })
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  it('never share one: production does not take up what the demonstration made', async () => {
    await expect(open(false)).rejects.toThrow('store: the demonstration has run on it')
    const again = await open(true)
    await again.close()
  })

  if (store === 'redis')
    it('never share one: the demonstration does not sit down in another gateway’s', async () => {
      const url = t.redis?.url ?? ''
      const parts = { url, clock: t.clock, random, replicas: 0, warn: () => undefined }
      const kept = await openRedis(parts)
      await kept.commit({ drops: [{ kind: 'demonstration', id: 'current' }] })
      await expect(open(true)).rejects.toThrow('store: it is another gateway’s')
      expect(await kept.get('demonstration', 'current')).toBeUndefined()
      await kept.close()
    })
})
