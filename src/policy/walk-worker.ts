/** Runs walks in a thread of their own, one after the other: started by walks.ts, never imported. */
import './v8-flags.js'
import { parentPort } from 'node:worker_threads'
import { createAnswerMemory } from './answer-memory.js'
import { appsNamed } from './apps-named.js'
import { checkFiles } from './check.js'
import { compareOf } from './compare.js'
import { matrixOf, type Progress, type Said } from './matrix.js'
import { createMemory } from './matrix-memory.js'
import { postChanges } from './post-changes.js'
import { type Problem, Problems } from './problem.js'
import { replayFiles } from './replay.js'
import { roleChanges } from './role-changes.js'
import { tryOut } from './simulate.js'
import { type Survey, surveyOf } from './survey.js'
import type { Answers, Message, Task } from './walks.js'

/** Most of a draft's cells are those of the version in force. */
const memory = createMemory<Said>()
/** And most of its questions meet the policies of a version before. */
const answers = createAnswerMemory()

const tell = (message: Message): void => parentPort?.postMessage(message)

function run<T>(steps: Generator<Progress, T>): T {
  let step = steps.next()
  while (!step.done) {
    tell({ progress: step.value })
    step = steps.next()
  }
  return step.value
}

/** Opens versions for as long as they are used. */
function using<T>(surveys: readonly Survey[], use: () => T): T {
  try {
    return use()
  } finally {
    for (const survey of surveys) survey.close()
  }
}

/** Replaying counts "of" what walks call "total". */
function* replaying({ questions, before, after }: Task & { walk: 'replay' }) {
  const steps = replayFiles(questions, before, after)
  let step = steps.next()
  while (!step.done) {
    yield { done: step.value.done, total: step.value.of }
    step = steps.next()
  }
  return step.value
}

/** While somebody types they are told as well what they can hardly have meant; a gate asks what is wrong. */
function wrongIn({ files, sections, withTests }: Task & { walk: 'check' }): readonly Problem[] {
  const { problems, warnings } = checkFiles(files, sections, { withTests, memory: answers })
  if (withTests) return problems
  const toLookAt = warnings.map(
    ({ text, ...place }): Problem => ({
      ...place,
      text: `to look at: ${text}`,
      severity: 'warning',
    }),
  )
  return [...problems, ...toLookAt]
}

function answer(task: Task): Answers[keyof Answers] {
  if (task.walk === 'replay') return run(replaying(task))
  if (task.walk === 'check') return wrongIn(task)
  if (task.walk === 'try') return tryOut(task.trial)
  if (task.walk === 'matrix') {
    const survey = surveyOf(task.files, { ...task, answers })
    return using([survey], () => run(matrixOf(survey, undefined, memory)))
  }
  const apps = [...new Set([...task.apps, ...appsNamed(task.before, task.after)])]
  const [before, after] = [task.before, task.after].map((files) =>
    surveyOf(files, { apps, answers }),
  ) as [Survey, Survey]
  return using([before, after], () => ({
    ...run(compareOf(before, after)),
    roles: [...roleChanges(before.map, after.map), ...postChanges(task.before, task.after)],
  }))
}

parentPort?.on('message', (task: Task) => {
  answers.bound()
  try {
    tell({ answer: answer(task) })
  } catch (error) {
    if (!(error instanceof Problems)) throw error
    tell({ problems: error.problems })
  }
})
