/** Routes as Express has them: what each goes through before its own handler, and nothing that no row says. */
import { type NextFunction, type RequestHandler, Router } from 'express'
import type { EventName } from '../core/audit.js'
import { openedOnly } from './browser.js'
import { crossOrigin, type Readers } from './cross-origin.js'
import { offerNonce } from './dpop-nonce.js'
import { type Answers, startJourney } from './journey.js'
import { formBody } from './parameters.js'
import { noStore } from './security.js'

export type Verb = 'get' | 'post' | 'put' | 'delete' | 'use'

/** One row of the surface: where, how it answers, who may read it across origins, what a refusal is recorded as. */
export interface Route {
  readonly verb: Verb
  readonly path: string
  readonly answers: Answers
  readonly readers: Readers
  readonly refused: EventName
  readonly handler: RequestHandler
}

export interface RoutingParts {
  readonly hasOrigin: Parameters<typeof crossOrigin>[1]
  readonly nonce: Parameters<typeof offerNonce>[0]
  /** Turns away whoever comes too often. */
  readonly flood: RequestHandler
}

/**
 * Steps as one handler: Express takes some microseconds for what lies between two of its own. What a step throws, or
 * rejects with, goes on to Express either way, from wherever it was called: what escapes a parser's callback ends the
 * process.
 */
const inTurn =
  (steps: readonly RequestHandler[]): RequestHandler =>
  (req, res, next) => {
    // Without an error Express would try the next route.
    const wrong = (error: unknown): void => next(error || new Error('a step failed for nothing'))
    const step = (at: number): void => {
      const onward: NextFunction = (error?: unknown) => {
        if (error || at + 1 === steps.length) next(error)
        else step(at + 1)
      }
      try {
        const ending: unknown = steps[at]?.(req, res, onward)
        if (ending instanceof Promise) ending.catch(wrong)
      } catch (error) {
        wrong(error)
      }
    }
    step(0)
  }

/** @param routes in the order in which they are tried */
export function routing(routes: readonly Route[], { hasOrigin, nonce, flood }: RoutingParts) {
  const router = Router({ caseSensitive: true, strict: true })
  for (const { verb, path, answers, readers, refused, handler } of routes) {
    const begin: RequestHandler = (_req, res, next) => {
      startJourney(res, answers, refused)
      noStore(res)
      next()
    }
    const share = readers === 'nobody' ? [] : [crossOrigin(readers, hasOrigin)]
    // Where apps come, they may come with a proof.
    const offer = readers === 'apps' ? [offerNonce(nonce)] : []
    const first = verb === 'post' ? [formBody] : answers === 'page' ? [openedOnly] : []
    // After the headers by which an app may read that it was turned away.
    const steps = [begin, ...share, ...offer, flood, ...first, handler]
    if (verb === 'use') router.use(path, inTurn(steps))
    else {
      // One entry for both: a request is held against every entry before its own.
      const route = router.route(path)[verb](inTurn(steps))
      if (share.length > 0) route.options(inTurn([begin, ...share]))
    }
  }
  return router
}
