/** What the store holds of policies: versions, drafts, nodes, questions. Part of the table in records.ts. */
import type { Question } from './decision.js'
import type { Draft, VersionOrigin } from './draft.js'
import type { EpochMs } from './values.js'

export interface PolicyRecords {
  /**
   * The policy version in force, under the one id `current`; each version with its files, by number, and without them,
   * by `about/<number>`; and which version a hash of files was last published as, by `seed/<hash>`.
   */
  policy: VersionOrigin & {
    readonly version: number
    readonly hash: string
    readonly at: EpochMs
    readonly previous?: number
    readonly files?: Readonly<Record<string, string>>
  }
  /** A change of the policies on its way. By its id. */
  draft: Draft
  /** The files of a draft as it stands, by `<draft>/<hash>`. */
  draftFiles: { readonly files: Readonly<Record<string, string>> }
  /** That a node found nothing wrong with these files. By hash of theirs and of the plan's sections. */
  sound: { readonly hash: string }
  /** A node that runs, and by which version it answers, as it last said. By an id of its own. */
  node: {
    readonly version: number
    readonly hash: string
    /** When the store last told it which version is in force. */
    readonly heardAt: EpochMs
    readonly startedAt: EpochMs
    readonly at: EpochMs
    readonly mayIssue: boolean
    readonly mayRead: boolean
  }
  /** What a node has counted of a draft in shadow. By draft and node. */
  shadow: {
    readonly draft: string
    readonly hash: string
    readonly at: EpochMs
    readonly counts: Readonly<Record<'same' | 'allowToDeny' | 'denyToAllow' | 'failed', number>>
    readonly examples: readonly {
      readonly turn: string
      readonly action: string
      readonly resource: string
      readonly roles: readonly string[]
      readonly organization: string
      readonly app: string
      /** That decide in the draft. */
      readonly policies: readonly string[]
      readonly count: number
    }[]
  }
  /** Questions that were asked of the policies lately, a sample: see policy/asked-pages.ts. By the page's number. */
  asked: {
    readonly generation: number
    readonly questions: readonly {
      readonly question: Question
      readonly count: number
      readonly at: EpochMs
      readonly rank: number
    }[]
  }
}
