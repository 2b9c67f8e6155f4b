/** Another process on the same data directory; compiled and started by test/store/processes.test.ts. */
import { randomBytes } from 'node:crypto'
import { openTrail } from '../../src/audit/trail.js'
import { openEmbedded } from '../../src/store/embedded.js'

const [task = '', dir = '', count = '0'] = process.argv.slice(2)
const clock = () => Date.now()
const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
const until = Date.now() + 3_600_000
const store = await openEmbedded({ dir, clock, random })

/** Tries every claim there is and says which it won. */
async function claim(): Promise<void> {
  const numbers = Array.from({ length: Number(count) }, (_, number) => number)
  const won = await Promise.all(
    numbers.map((number) => store.commit({ claims: [{ what: `jti/${number}`, until }] })),
  )
  process.stdout.write(`${numbers.filter((number) => won[number]).join(' ')}\n`)
  await store.close()
}

/** Writes until it is killed, eight at a time, and says of each act that it was acknowledged. */
async function write(): Promise<void> {
  const trail = await openTrail({ store, clock })
  let number = 0
  const one = async (): Promise<never> => {
    for (;;) {
      number += 1
      const id = `${process.pid}-${number}`
      await trail.commit({
        claims: [{ what: `act/${id}`, until }],
        record: [{ what: 'session_opened', outcome: 'success', reference: `ref_${id}` }],
        puts: [{ kind: 'person', id, value: { uid: id, since: 0 }, until }],
      })
      // By itself, as a read is recorded.
      await trail.record({
        what: 'access_allowed',
        outcome: 'success',
        reference: `ref_${id}-read`,
      })
      process.stdout.write(`${id}\n`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, one))
}

/** Writes until it cannot any more, eight at a time and in either way, and says what it was told of each; then reads. */
async function fill(): Promise<void> {
  const trail = await openTrail({ store, clock })
  let failed = 0
  for (let number = 0; failed < 32; number += 8) {
    const one = async (_: unknown, at: number) => {
      const id = `${number + at}`
      const record = [
        { what: 'access_allowed', outcome: 'success', reference: `ref_${id}` } as const,
      ]
      const puts = [{ kind: 'person', id, value: { uid: id, since: 0 }, until } as const]
      try {
        await trail.commit(at % 2 === 0 ? { record } : { record, puts })
        process.stdout.write(`wrote ${id}\n`)
      } catch (error) {
        failed += 1
        process.stdout.write(`failed ${id} ${(error as { code?: string }).code}\n`)
      }
    }
    await Promise.all(Array.from({ length: 8 }, one))
  }
  // Whatever lmdb-js makes of it, it has made by then.
  await store.ping().catch(() => undefined)
  process.stdout.write(`read ${(await store.get('person', '1'))?.uid}\n`)
  await store.close()
}

const TASKS: Readonly<Record<string, () => Promise<void>>> = { claim, write, fill }
await TASKS[task]?.()
