/** A question tried out on a version: the answer and why, and what an app would be granted. Nothing else comes of it. */
import { narrow, type Offered, registered } from '../core/authorization.js'
import type { Client } from '../core/client.js'
import type { Question } from '../core/decision.js'
import { readScope, type Scope } from '../core/scope.js'
import { createPolicies, type Engine } from './engine.js'
import { type Explanation, explain } from './explain.js'
import type { PolicyFiles } from './source.js'
import { surveyOf } from './survey.js'

/** What an app asks for, what it may ask for, and what there is. */
export interface Granting {
  readonly asked: readonly string[]
  readonly client: Pick<Client, 'scopes'>
  readonly offered: Offered
}

export interface Trial {
  readonly files: PolicyFiles
  readonly apps: readonly string[]
  /**
   * The questions that it may have been, the most ordinary first. One, to try it out; several, where a record does not
   * hold all of it.
   */
  readonly questions: readonly Question[]
  /** What was answered then, and by which policies where one question was asked: only one that is answered so is explained. */
  readonly answered?: { readonly effect: 'allow' | 'deny'; readonly policies?: readonly string[] }
  readonly granting?: Granting
}

export interface Granted {
  readonly scopes: readonly string[]
  readonly policies: readonly string[]
  readonly errors: readonly string[]
}

export interface Tried {
  readonly explanation: Explanation
  /** How many of the questions are answered so. */
  readonly fitting: number
  readonly granted?: Granted
}

const sameAnswer =
  (engine: Engine, answered: Trial['answered']) =>
  (question: Question): boolean => {
    if (!answered) return true
    const { effect, policies } = engine.decide(question)
    const same = answered.policies ?? policies
    return effect === answered.effect && [...policies].join() === [...same].join()
  }

function grantedOf(engine: Engine, question: Question, { asked, client, offered }: Granting) {
  const scopes = asked.map(readScope).filter((scope): scope is Scope => scope !== undefined)
  const { action: _, resource: __, ...circumstances } = question
  const given = narrow(registered(scopes, client), engine, circumstances, offered)
  return { scopes: given.scopes, policies: given.policies, errors: given.errors }
}

/**
 * Some hundred questions of a version: for a thread of its own.
 *
 * @returns `undefined` where no question is answered as it was
 * @throws Problems where the version cannot be read
 */
export function tryOut({ files, apps, questions, answered, granting }: Trial): Tried | undefined {
  const engine = createPolicies(files, { remember: 0 })
  try {
    const fitting = questions.filter(sameAnswer(engine, answered))
    const [question] = fitting
    if (!question) return undefined
    const survey = surveyOf(files, { apps, engine })
    try {
      return {
        explanation: explain(question, survey),
        fitting: fitting.length,
        ...(granting ? { granted: grantedOf(engine, question, granting) } : {}),
      }
    } finally {
      survey.close()
    }
  } finally {
    engine.close()
  }
}
