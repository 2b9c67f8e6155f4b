import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals'
import { build } from 'esbuild'
import { openTrail } from '../../src/audit/trail.js'
import { verifyTrail } from '../../src/audit/verify.js'
import { openEmbedded } from '../../src/store/embedded.js'
import type { Store } from '../../src/store/store.js'

jest.setTimeout(60_000)

const clock = () => Date.now()
const random = (bytes: number) => new Uint8Array(randomBytes(bytes))

/** The child as plain JavaScript, beside a `node_modules` that leads to ours. */
async function compileChild(place: string): Promise<string> {
  const outfile = join(place, 'child.mjs')
  await build({
    entryPoints: [resolve('test/store/child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  })
  await symlink(resolve('node_modules'), join(place, 'node_modules'))
  return outfile
}

describe('the embedded store and several processes', () => {
  let place = ''
  let program = ''
  let dir = ''
  const children: ChildProcess[] = []
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return { child, lines: createInterface({ input: child.stdout }) }
  }
  const open = (): Promise<Store> => openEmbedded({ dir, clock, random })

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'processes-'))
    program = await compileChild(place)
  })
  beforeEach(async () => {
    dir = await mkdtemp(join(place, 'data-'))
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })
  afterAll(() => rm(place, { recursive: true }))

  it('gives each of a thousand claims to exactly one of three processes', async () => {
    const claims = async () => {
      const { lines } = start('claim', dir, '1000')
      const [line] = (await once(lines, 'line')) as [string]
      return line.split(' ').filter((word) => word !== '')
    }
    const won = (await Promise.all([claims(), claims(), claims()])).flat()
    expect(won).toHaveLength(1000)
    expect(new Set(won).size).toBe(1000)
    const store = await open()
    expect(await store.commit({ claims: [{ what: 'jti/7', until: clock() + 1000 }] })).toBe(false)
    await store.close()
  })

  it('has everything that was acknowledged after kill -9, and a whole chain, while another process writes on', async () => {
    const store = await open()
    const trail = await openTrail({ store, clock })
    const acknowledged: string[] = []
    for (let round = 0; round < 3; round++) {
      const { child, lines } = start('write', dir)
      const enough = acknowledged.length + 100
      for await (const line of lines) {
        acknowledged.push(line)
        if (acknowledged.length === enough) child.kill('SIGKILL')
        // The survivor needs the lock that the killed process may have held.
        if (acknowledged.length % 25 === 0)
          await trail.record({ what: 'policy_published', outcome: 'success' })
      }
    }
    await store.close()

    const after = await open()
    const entries = new Set<string | undefined>()
    for await (const { reference } of after.trail()) entries.add(reference)
    for (const id of acknowledged) {
      expect(entries).toContain(`ref_${id}`)
      expect(entries).toContain(`ref_${id}-read`)
      expect((await after.get('person', id))?.uid).toBe(id)
      const again = await after.commit({ claims: [{ what: `act/${id}`, until: clock() + 1000 }] })
      expect(again).toBe(false)
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(300)
    expect(await verifyTrail(after)).toMatchObject({ writers: 4, problems: [] })
    await after.close()
  })

  it('says of each commit past a full disk that it failed, reads on, and keeps what it had acknowledged', async () => {
    // What may not grow is to LMDB as a disk that is full.
    const full = `trap '' XFSZ; ulimit -f 600; exec "$0" "$@"`
    const child = spawn('sh', ['-c', full, process.execPath, program, 'fill', dir], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    children.push(child)
    const ended = once(child, 'exit')
    const said: (readonly string[])[] = []
    for await (const line of createInterface({ input: child.stdout })) said.push(line.split(' '))
    expect(await ended).toEqual([0, null])
    expect(said.pop()).toEqual(['read', '1'])
    const failed = said.filter(([how]) => how === 'failed')
    expect(new Set(failed.map(([, , code]) => code))).toEqual(new Set(['uncertain']))
    const acknowledged = said.filter(([how]) => how === 'wrote').map(([, id = '']) => id)
    expect(acknowledged.length).toBeGreaterThan(100)

    const after = await open()
    const entries: (string | undefined)[] = []
    for await (const { reference } of after.trail()) if (reference) entries.push(reference)
    expect(entries.sort()).toEqual(acknowledged.map((id) => `ref_${id}`).sort())
    expect(await verifyTrail(after)).toMatchObject({ writers: 1, problems: [] })
    await after.close()
  })

  it('keeps its files from other users of the machine', async () => {
    const store = await openEmbedded({ dir: join(dir, 'made'), clock, random })
    const mode = async (path: string) => (await stat(join(dir, 'made', path))).mode & 0o777
    expect(await mode('.')).toBe(0o700)
    expect(await mode('gateway.mdb')).toBe(0o600)
    expect(await mode('gateway.mdb-lock')).toBe(0o600)
    await store.close()
  })
})
