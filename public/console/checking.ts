/** Checking as you type: the server says what is wrong, in its own words; this shows where. */
import { type Diagnostic, linter } from '@codemirror/lint'
import type { Extension } from '@codemirror/state'

interface Problem {
  readonly file: string
  readonly line?: number
  readonly text: string
  readonly severity?: 'error' | 'warning'
}

export interface Check {
  readonly address: string
  /** The session's own token: the server takes a check from its own page only. */
  readonly token: string
  readonly file: string
  /** Told of what is wrong elsewhere, and of how much there is in all. */
  readonly report: (problems: readonly Problem[]) => void
}

async function problemsOf(
  { address, token, file }: Check,
  text: string,
): Promise<readonly Problem[]> {
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token, file, text }),
    signal: AbortSignal.timeout(10_000),
  })
  if (!answer.ok) throw new Error(`the check was answered ${answer.status}`)
  return ((await answer.json()) as { problems: readonly Problem[] }).problems
}

/** What could not be checked is said so: silence would read as "nothing is wrong". */
const UNCHECKED: Problem = {
  file: '',
  text: 'This could not be checked just now. It will be when you save.',
}

/** Asks half a second after the last key. */
export const checking = (check: Check): Extension =>
  linter(
    async (view) => {
      const { doc } = view.state
      const problems = await problemsOf(check, doc.toString()).catch(() => [UNCHECKED])
      check.report(problems)
      return problems
        .filter(({ file }) => file === check.file)
        .map(({ line = 1, text, severity = 'error' }): Diagnostic => {
          const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines))
          return { from, to, severity, message: text }
        })
    },
    { delay: 500 },
  )
