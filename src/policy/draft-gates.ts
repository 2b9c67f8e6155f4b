/** What every change of the policies must pass, whoever brings it and by whatever path. */
import type { Layer } from '../core/console.js'
import { Refusal } from '../core/refusal.js'
import { checkFiles } from './check.js'
import { describeProblem, type Problem, stops } from './problem.js'
import { createSoundness, type Soundness } from './soundness.js'
import { hashOfFiles, type PolicyFiles } from './source.js'

export interface GatesParts {
  /** Ids of the plan's sections. */
  readonly sections: readonly string[]
  /**
   * What is wrong with the files of a version, its tests and invariants included; {@link checkFiles} in its place on this
   * thread. The same files must always have the same answer.
   */
  readonly check?: (files: PolicyFiles) => readonly Problem[] | Promise<readonly Problem[]>
  /** What was found sound already, by whoever judged it. */
  readonly sound?: Soundness
  /** Why nobody could change policies any more under these files, if so. */
  readonly lockedOut: (files: PolicyFiles) => string | undefined
}

/** Files that may not come into force, with everything that is wrong with them. */
export class Unfit extends Refusal {
  constructor(readonly problems: readonly Problem[]) {
    const [first] = problems
    super('draft_unfit', `${problems.length} problem(s): ${first ? describeProblem(first) : ''}`)
  }
}

export interface Gates {
  /** @param layer of whoever changes them: red tests of other local layers are not held against it. @throws Unfit */
  fit(files: PolicyFiles, layer: Layer): Promise<void>
  /** @throws Refusal `lockout_refused` */
  letsIn(files: PolicyFiles): void
}

export function openGates({ sections, check, lockedOut, ...given }: GatesParts): Gates {
  const judge = check ?? ((files: PolicyFiles) => checkFiles(files, sections).problems)
  // Proposing, approving and publishing judge the same files.
  const { sound = createSoundness() } = given
  return {
    async fit(files, layer) {
      const hash = hashOfFiles(files)
      if (await sound.has(hash)) return
      const problems = await judge(files)
      const stopping = problems.filter((problem) => stops(problem, layer))
      if (stopping.length > 0) throw new Unfit(stopping)
      if (problems.length === 0) await sound.add(hash)
    },
    letsIn(files) {
      const why = lockedOut(files)
      if (why !== undefined) throw new Refusal('lockout_refused', why)
    },
  }
}
