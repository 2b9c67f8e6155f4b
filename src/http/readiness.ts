import type { RequestHandler } from 'express'

/** GET /readyz: whether the gateway may be sent traffic; its store answers and its policies are known. 200 or 503. */
export function readiness(parts: {
  readonly store: { ping(): Promise<unknown> }
  readonly policies: { mayIssue(): boolean }
}): RequestHandler {
  return async (_req, res) => {
    const checks = {
      store: await parts.store.ping().then(
        () => true,
        () => false,
      ),
      policies: parts.policies.mayIssue(),
    }
    res.status(Object.values(checks).every(Boolean) ? 200 : 503).json(checks)
  }
}
