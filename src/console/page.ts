/** What every page and act of the console goes through: session, form, duty, work, trail, answer. */
import type { Request, RequestHandler, Response } from 'express'
import type { Happening } from '../core/audit.js'
import type { ConsoleAct, ConsolePart, ConsoleSession, Layer, Member } from '../core/console.js'
import type { Vouching } from '../core/console-command.js'
import { hashOf } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import type { Duty } from '../core/roles.js'
import type { EpochMs } from '../core/values.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { seeOther } from '../http/redirect.js'
import { formToken, requireToken } from './form-token.js'
import { type Leave, leaveFor, mayStronger, type Needs, requireDuty } from './guard.js'
import { aboutMember, type Presence, presenceOf, touch } from './members.js'
import type { ConsoleParts } from './parts.js'
import { askToSignIn } from './sign-in-page.js'

/** Facts for the trail: ids and words of ours, never what was typed freely but for a reason. */
export type Facts = Omit<Partial<Happening>, 'what' | 'outcome' | 'signOn' | 'user'>

/** One request that has been let in. */
export interface Visit {
  readonly member: Member
  readonly duties: readonly Duty[]
  /** In which layer the member was let in. */
  readonly layer: Layer
  readonly now: EpochMs
  /** Of the path: `:launch` and the like. */
  readonly params: Readonly<Record<string, string>>
  /** Whether a form came; its token was right. */
  readonly posted: boolean
  /** Of the query, or of the form. @throws Refusal parameter_repeated */
  readonly sent: ReadonlyMap<string, string>
  /** Whether this member may do something else: for links and buttons, never instead of the other row's own guard. */
  may(act: ConsoleAct, part: ConsolePart): boolean
  /** The member's session, for what is to hang on it. */
  readonly session: Vouching
  /** The same of the row's own part, in one layer. */
  mayIn(act: ConsoleAct, layer: Layer): boolean
  /** Whether they may, or might once they have signed in more strongly: for links to pages that then say so. */
  mightIn(act: ConsoleAct, layer: Layer): boolean
  /** Holds the member to a duty in the layer that this turned out to be about. @throws Refusal console_denied */
  within(layer: Layer): void
  /** The entry of an act, for the commit that does it. */
  acted(facts: Facts): Happening
}

export interface Crumb {
  readonly text: string
  readonly href: string
}

/** A page. It is in the trail before it leaves. */
export interface Shown {
  readonly view: string
  readonly title: string
  /** `refresh: true` while something is worked out: the page's script asks how far it is. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly crumbs?: readonly Crumb[]
  readonly status?: number
  /** The page's own script asks for more, from us only: by POST, with the form's token, answered by {@link Told}. */
  readonly connects?: true
  readonly about?: Facts
}

/** An answer to a page's own script. `quiet` where it says nothing that the member did not type: it makes no entry. */
export interface Told {
  readonly json: unknown
  readonly status?: number
  readonly quiet?: true
  readonly about?: Facts
}

/** A file to keep. */
export interface Download {
  readonly file: string
  readonly type: string
  readonly body: string
  readonly about?: Facts
}

/**
 * An act that was done. `recorded: true` when {@link Visit.acted} stood in the act's own commit, as it must for
 * whatever widens; else the entry is made now, as is right for an end.
 */
export interface Done {
  readonly to: string
  readonly about: Facts
  readonly recorded?: true
}

export type Answer = Shown | Told | Download | Done

/** One row of the console's table: where, what it needs, what it is called in the navigation, and how it answers. */
export interface ConsoleRow extends Needs {
  readonly verb: 'get' | 'post'
  readonly path: string
  readonly label: string
  readonly answer: (visit: Visit) => Promise<Answer>
}

/** Where somebody was let in, as far as entries and the guard look at it. */
type Entrance = Needs & { readonly verb: string; readonly path: string }

interface Come {
  readonly req: Request
  readonly res: Response
  readonly row: ConsoleRow
  readonly presence: Presence
  readonly visit: Visit
}

export const entryOf = (
  what: 'console_viewed' | 'console_acted',
  come: {
    readonly row: Entrance
    readonly session: ConsoleSession
  },
  leave: Pick<Visit, 'duties' | 'layer'>,
  about: Facts,
): Happening => ({
  ...{ what, outcome: 'success' },
  ...about,
  ...aboutMember(come.session, leave.duties),
  detail: {
    ...about.detail,
    ...{ page: come.row.path, part: come.row.part, act: come.row.act, layer: leave.layer },
  },
})

const HOME = '/console'

/** What the layout shows around every page. */
function frameOf(parts: ConsoleParts, rows: readonly ConsoleRow[], { row, presence, visit }: Come) {
  const links = rows.filter(
    (each) => each.label !== '' && leaveFor(parts, presence.session.member, each) !== undefined,
  )
  // Of several that lead here, the nearest.
  const here = links
    .map(({ path }) => path)
    .filter((path) => row.path === path || (path !== HOME && row.path.startsWith(`${path}/`)))
    .reduce((nearest, path) => (path.length > nearest.length ? path : nearest), '')
  return {
    navigation: links.map(({ label, path }) => ({
      ...{ text: label, href: path, current: path === here },
    })),
    member: visit.member,
    duties: visit.duties,
    layer: visit.layer,
    here: row.path,
    may: visit.may,
    token: (path: string) => formToken(presence.secret, path),
  }
}

function show(parts: ConsoleParts, rows: readonly ConsoleRow[], come: Come, shown: Shown): void {
  const { view, title, data = {}, crumbs = [], status = 200, connects = false } = shown
  journeyOf(come.res).connects = connects || data.refresh === true
  const frame = frameOf(parts, rows, come)
  parts.pages.send(come.res, status, `console/${view}`, { ...data, title, crumbs, ...frame })
}

async function answerWith(
  parts: ConsoleParts,
  rows: readonly ConsoleRow[],
  come: Come,
): Promise<void> {
  const { row, res, visit } = come
  const { session } = come.presence
  const answer = await row.answer(visit)
  const what = 'to' in answer ? 'console_acted' : 'console_viewed'
  if (!('recorded' in answer) && !('quiet' in answer))
    await parts.trail.record(entryOf(what, { row, session }, visit, answer.about ?? {}))
  if ('to' in answer) seeOther(res, `${parts.issuer}${answer.to}`)
  else if ('json' in answer) {
    res.status(answer.status ?? 200).json(answer.json)
  } else if ('file' in answer) {
    res.attachment(answer.file).type(answer.type).send(answer.body)
  } else show(parts, rows, come, answer)
}

/** Not even a window that opened it, or that it opened, may reach into it. */
export function keepApart(res: Response): void {
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
}

/** What a member who was let in may know and do, whether they came by a page or by a command. */
export function visitOf(
  parts: ConsoleParts,
  { req, res, row, sent }: Pick<Come, 'req' | 'res'> & { row: Entrance; sent: Visit['sent'] },
  entered: {
    readonly session: ConsoleSession
    readonly key: string
    readonly leave: Leave
    /** Where a stronger sign-in leads back to. */
    readonly back: string
  },
): Visit {
  const { session, key, leave, back } = entered
  const { member } = session
  const { part } = row
  return {
    ...{ member, ...leave, now: parts.clock(), sent, posted: row.verb === 'post' },
    session: { key, signOn: session.id },
    params: req.params as Readonly<Record<string, string>>,
    may: (act, other) =>
      leaveFor(parts, member, { act, part: other, layers: row.layers }) !== undefined,
    mayIn: (act, layers) => leaveFor(parts, member, { act, part, layers }) !== undefined,
    mightIn: (act, layers) => mayStronger(parts, member, { act, part, layers }),
    within: (layers) => void requireDuty(parts, res, member, { ...row, layers }, back),
    acted: (facts) => entryOf('console_acted', { row, session }, leave, facts),
  }
}

/**
 * @param rows of the whole console: the navigation is what of them this member may see
 * @throws Refusal console_signed_out, console_form_refused, console_denied, policy_stale
 */
export function answering(
  parts: ConsoleParts,
  rows: readonly ConsoleRow[],
  row: ConsoleRow,
): RequestHandler {
  return async (req, res) => {
    keepApart(res)
    const presence = await presenceOf(parts, req)
    if (!presence) {
      if (row.verb === 'get') return askToSignIn(parts, res, { to: req.path, assurance: 2 })
      throw new Refusal('console_signed_out', row.path)
    }
    const { session, secret } = presence
    learn(res, aboutMember(session))
    const sent = parameters(req)
    if (row.verb === 'post') requireToken(req, secret, sent.get('token'))
    const back = row.verb === 'get' ? req.path : '/console'
    const leave = requireDuty(parts, res, session.member, row, back)
    await touch(parts, presence)
    const entered = { session, key: hashOf(secret), leave, back }
    const visit = visitOf(parts, { req, res, row, sent }, entered)
    await answerWith(parts, rows, { req, res, row, presence, visit })
  }
}
