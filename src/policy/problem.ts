/** What is wrong with a file of the security team: where, and in words that its writer can act on. */
export interface Problem {
  readonly file: string
  /** From 1. Absent when it is about the file as a whole. */
  readonly line?: number
  readonly text: string
  /** It stops nothing: it is to be looked at. */
  readonly severity?: 'warning'
  /** The local layer whose test it is: it stops that layer's own drafts, and no other's. */
  readonly of?: `local/${string}`
}

/** Whether a draft of this layer must not go on with it: what a layer expects binds its own authors, not the centre. */
export const stops = ({ of }: Problem, layer: string): boolean => of === undefined || of === layer

export const describeProblem = ({ file, line, text }: Problem): string =>
  line === undefined ? `${file}: ${text}` : `${file}:${line}: ${text}`

/** Everything that is wrong, at once. */
export class Problems extends Error {
  override readonly name = 'Problems'
  constructor(readonly problems: readonly Problem[]) {
    super(
      [`${problems.length} problem(s):`, ...problems.map((p) => `  ${describeProblem(p)}`)].join(
        '\n',
      ),
    )
  }
}
