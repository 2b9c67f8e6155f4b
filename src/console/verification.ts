/** Checking that nobody has changed the trail: in the background of this node, one at a time, its result shown. */
import { setImmediate as breathe } from 'node:timers/promises'
import { type TrailReport, verifyTrail } from '../audit/verify.js'
import type { EpochMs } from '../core/values.js'
import { inWords } from './in-words.js'
import type { Done, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

/** More than that is the command line's: `audit verify` beside the gateway. */
const MOST_ENTRIES = 2_000_000
const AT_ONCE = 100
const MOST_PROBLEMS = 50

type Run = { readonly since: EpochMs; readonly by: string; entries: number } & (
  | { state: 'running' }
  | { state: 'done'; until: EpochMs; report: TrailReport }
  | { state: 'failed'; until: EpochMs; why: string }
)

class TooLong extends Error {}

/** The same store, whose trail lets others have the thread, counts, and comes to an end. */
const slowly = (
  { store }: ConsoleParts,
  count: (n: number) => void,
): Parameters<typeof verifyTrail>[0] => ({
  heads: () => store.heads(),
  async *trail(range) {
    let read = 0
    for await (const entry of store.trail(range)) {
      if (++read > MOST_ENTRIES) throw new TooLong(`more than ${MOST_ENTRIES} entries`)
      if (read % AT_ONCE === 0) {
        count(read)
        await breathe()
      }
      yield entry
    }
  },
})

function start(parts: ConsoleParts, by: string): { current: Run; done: Promise<void> } {
  const begun = { since: parts.clock(), by, entries: 0 }
  const run: { current: Run; done: Promise<void> } = {
    current: { ...begun, state: 'running' },
    done: Promise.resolve(),
  }
  const count = (entries: number) => {
    run.current.entries = entries
  }
  const { verifyCheckpoint } = parts.keys
  // Signed first: without a checkpoint nothing says that this is all there was.
  const checked = parts.trail
    .checkpoint()
    .then(() => verifyTrail(slowly(parts, count), { verifyCheckpoint }))
  run.done = checked.then(
    (report) => {
      const until = parts.clock()
      run.current = { ...begun, entries: report.entries, state: 'done', until, report }
    },
    (error: unknown) => {
      const why =
        error instanceof TooLong
          ? `${error.message}: run \`audit verify\` beside the gateway`
          : 'the store did not answer to the end'
      run.current = { ...begun, state: 'failed', until: parts.clock(), why }
    },
  )
  return run
}

function inWordsOf(run: Run) {
  const base = { state: run.state, since: inWords(run.since), by: run.by, entries: run.entries }
  if (run.state === 'running') return base
  if (run.state === 'failed') return { ...base, until: inWords(run.until), why: run.why }
  const { problems, writers, lastCheckpoint } = run.report
  return {
    ...base,
    ...{
      until: inWords(run.until),
      writers,
      checkpoint: lastCheckpoint && inWords(lastCheckpoint.at),
    },
    whole: problems.length === 0 && run.entries > 0 && lastCheckpoint !== undefined,
    problems: problems
      .slice(0, MOST_PROBLEMS)
      .map(({ writer, seq, at, problem }) => [
        ...[writer, String(seq), at === undefined ? '' : inWords(at), problem],
      ]),
    found: problems.length,
  }
}

/** The page of the last run on this node, and the act that begins one. */
export function verification(parts: ConsoleParts) {
  let run: ReturnType<typeof start> | undefined
  return {
    page: async (): Promise<Shown> => ({
      view: 'verification',
      title: 'Is the trail whole?',
      crumbs: [{ text: 'Trail', href: '/console/trail' }],
      data: { run: run && inWordsOf(run.current), refresh: run?.current.state === 'running' },
    }),
    begin: async ({ member }: Visit): Promise<Done> => {
      if (run?.current.state !== 'running') run = start(parts, member.name)
      return { to: '/console/trail/verification', about: { detail: { began: 'verification' } } }
    },
  }
}
