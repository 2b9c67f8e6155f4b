/** Acts that end or change something: a page that says what will happen and asks why, then the act. */
import type { Answer, Crumb, Facts, Visit } from './page.js'
import { reasonOf } from './typed.js'

export interface Asking {
  readonly title: string
  /** What will happen, in a sentence or two. */
  readonly warning: string
  readonly button: string
  /** Where the form leads: the act's own address. */
  readonly action: string
  /** Where one goes who thinks better of it, and who has done it. */
  readonly back: Crumb
  /** Further fields that the form sends along. */
  readonly fields?: Readonly<Record<string, string>>
  readonly about: Facts
}

const shown = ({ title, back, about, ...data }: Asking, problem?: string): Answer => ({
  ...{ view: 'confirm', title, crumbs: [back], about },
  data: { ...data, back, problem },
  status: problem === undefined ? 200 : 400,
})

/** The page that asks. */
export const asks =
  (asking: (visit: Visit) => Promise<Asking>) =>
  async (visit: Visit): Promise<Answer> =>
    shown(await asking(visit))

/**
 * The act: with a reason, or the page again. What it does is an end, done first and recorded after; what throws a
 * {@link Problem} is said on the page.
 */
export const does =
  (
    asking: (visit: Visit) => Promise<Asking>,
    act: (visit: Visit, reason: string) => Promise<void>,
  ) =>
  async (visit: Visit): Promise<Answer> => {
    const asked = await asking(visit)
    const reason = reasonOf(visit)
    if ('problem' in reason) return shown(asked, reason.problem)
    try {
      await act(visit, reason.text)
    } catch (error) {
      if (error instanceof Problem) return shown(asked, error.message)
      throw error
    }
    const { about, back } = asked
    return { to: back.href, about: { ...about, detail: { ...about.detail, reason: reason.text } } }
  }

/** Why an act cannot be done now, in words for the member. */
export class Problem extends Error {
  override readonly name = 'Problem'
}
