import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createThread, type Thread, type ThreadOptions } from '../../src/policy/thread.js'

/** Answers how many jobs its thread had, or does what it is told. */
const SOURCE = `
import { parentPort } from 'node:worker_threads'
let jobs = 0
parentPort.on('message', (task) => {
  jobs += 1
  parentPort.postMessage({ began: task })
  if (task === 'for ever') for (;;) ;
  if (task === 'fail') throw new Error('on purpose')
  parentPort.postMessage({ jobs })
})`
const fileOf = (kind: number) =>
  new URL(`data:text/javascript,${encodeURIComponent(`${SOURCE} // ${kind}`)}`)
type Said = { readonly began: string } | { readonly jobs: number }

const open: Thread<string, Said>[] = []
/** Each test's threads are of a kind of their own: none is left to it by another. */
let kind = 0
const threadOf = (options: Partial<ThreadOptions> = {}) => {
  const thread = createThread<string, Said>({ file: fileOf(kind), megabytes: 64, ...options })
  open.push(thread)
  return thread
}

/** @returns how many jobs the thread had with it */
async function ask(
  thread: Thread<string, Said>,
  task: string,
  { longest = 60_000, control = new AbortController(), began = (): void => undefined } = {},
) {
  await thread.free()
  let jobs = 0
  await thread.run(task, {
    ...{ signal: control.signal, longest },
    heard(said) {
      if ('began' in said) began()
      else jobs = said.jobs
      return 'jobs' in said
    },
  })
  return jobs
}

/** For how many milliseconds a thread is kept where a test lets that time go by: no other timer is as long. */
const KEPT = 59_999
const { setTimeout: start, clearTimeout: stop } = globalThis

/** Holds the timers of that length until the test ends. @returns lets the time go by */
function holdTime(): () => void {
  const held = new Map<unknown, () => void>()
  const hold = (act: () => void, ms: number) => {
    if (ms !== KEPT) return start(act, ms)
    const timer = { unref: () => timer }
    held.set(timer, act)
    return timer
  }
  globalThis.setTimeout = hold as typeof setTimeout
  globalThis.clearTimeout = (timer) => {
    if (!held.delete(timer)) stop(timer)
  }
  return () => {
    for (const act of held.values()) act()
  }
}

describe('a thread', () => {
  afterEach(() => {
    Object.assign(globalThis, { setTimeout: start, clearTimeout: stop })
    for (const thread of open.splice(0)) thread.close()
    kind += 1
  })

  it('is kept for the next job', async () => {
    const thread = threadOf()
    expect([await ask(thread, 'a'), await ask(thread, 'b')]).toEqual([1, 2])
  })

  it('ends with a job that takes too long, and the next has another', async () => {
    const thread = threadOf()
    expect(await ask(thread, 'a')).toBe(1)
    await expect(ask(thread, 'for ever', { longest: 1 })).rejects.toMatchObject({ why: 'time' })
    expect(await ask(thread, 'b')).toBe(1)
  })

  it('ends with a job that nobody wants any more and that does not end by itself', async () => {
    const thread = threadOf()
    const control = new AbortController()
    const wanted = ask(thread, 'for ever', { control, began: () => control.abort() })
    await expect(wanted).rejects.toMatchObject({ why: 'cancelled' })
    expect(await ask(thread, 'a')).toBe(1)
  })

  it('is kept where such a job ends by itself', async () => {
    const thread = threadOf()
    const control = new AbortController()
    const wanted = ask(thread, 'a', { control, began: () => control.abort() })
    await expect(wanted).rejects.toMatchObject({ why: 'cancelled' })
    expect(await ask(thread, 'b')).toBe(2)
  })

  it('that fails takes one job with it and no more', async () => {
    const thread = threadOf()
    await expect(ask(thread, 'fail')).rejects.toMatchObject({
      why: 'failed',
      cause: { message: 'on purpose' },
    })
    expect(await ask(thread, 'a')).toBe(1)
  })

  it('ends when it has had nothing to do for a while', async () => {
    const passes = holdTime()
    const thread = threadOf({ keptFor: KEPT })
    await ask(thread, 'a')
    passes()
    expect(await ask(thread, 'b')).toBe(1)
  })

  it('ends with its owner, in the middle of a job', async () => {
    const thread = threadOf()
    const job = ask(thread, 'for ever', { began: () => thread.close() })
    await expect(job).rejects.toMatchObject({ why: 'cancelled' })
  })

  it('is left to the next owner of one of its kind, and to nobody else', async () => {
    const thread = threadOf()
    expect(await ask(thread, 'a')).toBe(1)
    const meanwhile = threadOf()
    expect(await ask(meanwhile, 'b')).toBe(1)
    thread.close()
    const other = threadOf({ megabytes: 65 })
    expect(await ask(other, 'c')).toBe(1)
    const next = threadOf()
    expect(await ask(next, 'd')).toBe(2)
    expect(await ask(thread, 'e')).toBe(1)
  })

  it('is not left in the middle of a job', async () => {
    const thread = threadOf()
    const job = ask(thread, 'for ever', { began: () => thread.close() })
    await expect(job).rejects.toMatchObject({ why: 'cancelled' })
    expect(await ask(threadOf(), 'a')).toBe(1)
  })

  it('ends where nobody wanted it for a while', async () => {
    const passes = holdTime()
    const thread = threadOf({ keptFor: KEPT })
    await ask(thread, 'a')
    thread.close()
    passes()
    expect(await ask(threadOf(), 'b')).toBe(1)
  })

  it('lets its process end when it has nothing to do, though nobody closed it', async () => {
    const built = pathToFileURL(join(process.cwd(), 'dist/src/policy/thread.js')).href
    const program = `
      import { createThread } from ${JSON.stringify(built)}
      const thread = createThread({ file: new URL(${JSON.stringify(fileOf(kind).href)}), megabytes: 64 })
      const { signal } = new AbortController()
      await thread.run('a', { signal, longest: 60_000, heard: (said) => 'jobs' in said })
      console.log('done')`
    const ran = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 50_000,
    })
    await expect(ran).resolves.toMatchObject({ stdout: 'done\n' })
  })
})
