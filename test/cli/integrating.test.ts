import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { UserAgent } from '../user-agent.js'
import { ROOT, run, startDemonstration } from './built.js'

const KEY_ID = '2026-11'

describe('The example of docs/integrating.md', () => {
  let demo: Awaited<ReturnType<typeof startDemonstration>>
  beforeAll(async () => {
    demo = await startDemonstration()
  })
  afterAll(() => demo.stop())

  it('launches, as it stands there, for a system that was registered as it says there', async () => {
    const text = await readFile(join(ROOT, 'docs/integrating.md'), 'utf8')
    const example = /^```js\n(\/\/ push\.mjs:[\s\S]*?)^```/m.exec(text)?.[1] ?? ''
    const registering = /npx launch-gateway (system add [\s\S]*?)\n```/.exec(text)?.[1] ?? ''
    const place = (name: string) => join(demo.folder, name)

    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS384', use: 'sig' }
    await writeFile(place('my-gp.jwks.json'), JSON.stringify({ keys: [jwk] }))
    await writeFile(place('my-gp.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await writeFile(place('push.mjs'), example)
    const words = [...registering.replace(/\\\n\s*/g, '').matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? '',
    )
    const args = words.map((word) => (word === 'my-gp.jwks.json' ? place(word) : word))
    expect(await run([...args, ...demo.data], { env: demo.env })).toMatchObject({
      code: 0,
      err: '',
    })

    const { stdout } = await promisify(execFile)(process.execPath, [place('push.mjs')], {
      env: {
        ...{ PATH: process.env.PATH ?? '', GATEWAY: demo.gateway, SYSTEM: 'my-gp', KEY_ID },
        KEY_FILE: place('my-gp.pem'),
      },
    })
    const landed = await new UserAgent().visit(new URL(stdout.trim()))
    expect(landed.location?.href).toMatch(`${demo.app}/launch.html?iss=`)
  })
})
