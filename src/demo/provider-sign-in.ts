/** The pretend provider's sign-in: choose a person, how they sign in, and a role if they have several. */
import express, { type Request, type Response, Router } from 'express'
import type Provider from 'oidc-provider'
import type { Assurance } from '../core/roles.js'
import { type Clock, seconds } from '../core/values.js'
import { leastOf, METHODS } from './provider-assurance.js'
import { CONSOLE_CALLBACK } from './provider-configuration.js'
import { errors } from './provider-library.js'
import { personPage, problemPage, rolePage } from './provider-pages.js'
import { type Choice, CLAIMS, type ProviderUser, rolesOf } from './provider-people.js'

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

export interface SignIn {
  readonly provider: Provider
  /** Path under which the provider is mounted. */
  readonly base: string
  readonly users: readonly ProviderUser[]
  /** The security team: in front of the others for whoever comes from the console, and else not there. */
  readonly team: readonly ProviderUser[]
  readonly clock: Clock
  /** Keeps what was chosen, by the grant that came of it. */
  readonly keep: (grantId: string, choice: Choice) => void
}

const field = (body: unknown, name: string): string => {
  const value = (body as Readonly<Record<string, unknown>> | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}

const actionOf = ({ base }: SignIn, { uid }: Interaction): string => `${base}/interaction/${uid}`

function peopleFor({ users, team }: SignIn, { params }: Interaction) {
  const fromConsole = String(params.redirect_uri).endsWith(CONSOLE_CALLBACK)
  return { users, team: fromConsole ? team : [] }
}

function askPerson(signIn: SignIn, asked: Interaction, res: Response, error?: string): void {
  const { base } = signIn
  const { users, team } = peopleFor(signIn, asked)
  const hint = asked.params.login_hint
  const chosen = users.find(({ id, uid }) => hint === id || hint === uid)?.id
  const page = personPage({
    ...{
      base,
      users,
      team,
      action: actionOf(signIn, asked),
      least: leastOf(asked.params.acr_values),
    },
    ...(chosen === undefined ? {} : { chosen }),
    ...(error === undefined ? {} : { error }),
  })
  res.status(error === undefined ? 200 : 400).send(page)
}

/** What the form says, as far as it may be said: the assurance is held against what was asked. */
function readForm(signIn: SignIn, asked: Interaction, body: unknown): Choice | undefined {
  const { users, team } = peopleFor(signIn, asked)
  const user = [...team, ...users].find(({ id }) => id === field(body, 'person'))
  const assurance = Number(field(body, 'assurance')) as Assurance
  const offered = METHODS.some((method) => method.assurance === assurance)
  if (!user || !offered || assurance < leastOf(asked.params.acr_values)) return undefined
  const roles = rolesOf(user)
  const role =
    roles.length === 1
      ? roles[0]
      : roles.find(({ role_profile }) => role_profile === field(body, 'role'))
  return { user, assurance, ...(role ? { role } : {}) }
}

async function finish(
  { provider, clock, keep }: SignIn,
  asked: Interaction,
  choice: Choice,
  req: Request,
  res: Response,
): Promise<void> {
  const accountId = choice.user.uid
  const method = METHODS.find(({ assurance }) => assurance === choice.assurance)
  const grant = new provider.Grant({ accountId, clientId: String(asked.params.client_id) })
  grant.addOIDCScope(Object.keys(CLAIMS).join(' '))
  const grantId = await grant.save()
  keep(grantId, choice)
  await provider.interactionFinished(
    req,
    res,
    {
      login: {
        accountId,
        ts: seconds(clock()),
        ...(method ? { acr: method.acr, amr: [...method.amr] } : {}),
      },
      consent: { grantId },
    },
    { mergeWithLastSubmission: false },
  )
}

async function receive(signIn: SignIn, req: Request, res: Response): Promise<void> {
  const asked = await signIn.provider.interactionDetails(req, res)
  if (field(req.body, 'cancel') !== '') {
    const error_description = 'The user cancelled the sign-in'
    const result = { error: 'access_denied', error_description }
    await signIn.provider.interactionFinished(req, res, result)
    return
  }
  const choice = readForm(signIn, asked, req.body)
  if (!choice) {
    askPerson(signIn, asked, res, 'Choose a person and one of the ways to sign in.')
    return
  }
  const roles = rolesOf(choice.user)
  if (choice.role || roles.length === 0) {
    await finish(signIn, asked, choice, req, res)
    return
  }
  const wrong = field(req.body, 'role') === '' ? {} : { error: 'Choose one of the roles.' }
  const { base } = signIn
  const { user, assurance } = choice
  const page = rolePage({ base, action: actionOf(signIn, asked), user, assurance, roles, ...wrong })
  res.status('error' in wrong ? 400 : 200).send(page)
}

/** @see the cookies of the library: an interaction belongs to the browser that began it */
export function signInRoutes(signIn: SignIn): Router {
  const gone = (res: Response) => (error: unknown) => {
    if (!(error instanceof errors.SessionNotFound)) throw error
    res.status(400).send(problemPage(signIn.base, 'This sign-in has expired.'))
  }
  const router = Router()
  router.use('/interaction', (_req, res, next) => {
    res.set('Cache-Control', 'no-store').type('html')
    next()
  })
  router.get('/interaction/:uid', async (req, res) => {
    await signIn.provider
      .interactionDetails(req, res)
      .then((asked) => askPerson(signIn, asked, res))
      .catch(gone(res))
  })
  router.post(
    '/interaction/:uid',
    express.urlencoded({ extended: false, limit: '8kb' }),
    async (req, res) => {
      await receive(signIn, req, res).catch(gone(res))
    },
  )
  return router
}
