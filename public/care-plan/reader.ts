/**
 * Reads the plan: as a whole when the page opens or somebody asks; and anew when nobody did, of which what is the same
 * stays as it stands.
 */
import { anew, beside, isAlike } from './anew.js'
import { begunFrom } from './begin.js'
import { CallFailed, type Connection, isSilence } from './connection.js'
import type { Definitions } from './definition.js'
import { focusOn } from './dom.js'
import type { Editing } from './editing.js'
import { stays } from './instead.js'
import { Looking } from './looking.js'
import { type Change, newsAloud } from './news.js'
import { decisionStrip } from './news-view.js'
import { checkingView, loadingPage } from './pages.js'
import { type Acts, type PlanShown, renewAge, renewAround, renewSections } from './plan-view.js'
import { bannerFor, type Reading, readPlan } from './reading.js'
import { leadTo } from './section-view.js'
import { announce, showBanner, showBusy, showContent, showTurned } from './shell.js'

interface Setup {
  readonly connection: Connection
  readonly definitions: Definitions
  /** What to do when the plan cannot be reached. */
  readonly emergencyText: string
  readonly acts: Acts
  readonly editing: () => Editing
  /** On the screen; `undefined` where there is none. */
  readonly plan: () => PlanShown | undefined
  /** When it was read that there is none, where the page says so. */
  readonly noneAt: () => Date | undefined
  /** Whether somebody goes on beginning a plan as long as there is none. */
  readonly begins: () => boolean
  /** Told when the page is read as a whole. */
  readonly loading: () => void
  /** Told of the plan as it is on the screen by now. */
  readonly renewed: (plan: PlanShown) => void
  /** Shows a plan as a whole. `asked`: whether the user asked; only then may the focus move. */
  readonly show: (plan: PlanShown, asked: boolean) => void
  /** Shows what stands in the place of a plan, where something does. @throws CallFailed */
  readonly instead: (reading: Reading, asked: boolean, begun: PlanShown | undefined) => boolean
  readonly failed: (failure: CallFailed | undefined, asked: boolean) => void
  /** Whether the view is closed, or an error was its end. */
  readonly over: (error?: unknown) => boolean
}

/** How often the age of what is shown is told anew, in milliseconds. */
const AGING = 20_000

export class Reader {
  readonly looking: Looking
  readonly #setup: Setup
  readonly #aging: number
  /** Which reading of the whole page is awaited, where one is: of two the later one counts. */
  #awaited: symbol | undefined

  constructor(setup: Setup) {
    this.#setup = setup
    const { connection, definitions, plan } = setup
    this.looking = new Looking({
      ...{ connection, sections: definitions.sections },
      readAt: () => plan()?.readAt ?? setup.noneAt(),
      busy: () => this.loading || setup.editing().saving,
      found: (reading) => this.#found(reading),
      failed: (error) => this.#unread(error),
    })
    this.#aging = window.setInterval(() => {
      const shown = plan()
      if (shown) renewAge(shown)
    }, AGING)
  }

  /** Whether what is on the screen is about to be replaced. */
  get loading(): boolean {
    return this.#awaited !== undefined
  }

  stop(): void {
    window.clearInterval(this.#aging)
    this.looking.drop()
  }

  /**
   * @param asked whether the user asked: only then may the focus move
   * @param before what stays on the screen meanwhile, and where the service does not answer
   */
  async load(asked: boolean, before: PlanShown | undefined): Promise<void> {
    const { connection, definitions, begins, failed, instead, loading, over, show } = this.#setup
    const { emergencyText, plan: shown } = this.#setup
    if (before) showBusy(checkingView(before.readAt))
    else showContent(loadingPage(emergencyText), false)
    announce(before ? 'Checking for changes' : 'Loading the care plan')
    this.looking.drop()
    loading()
    const own = Symbol('reading')
    this.#awaited = own
    const isPast = () => this.#awaited !== own
    try {
      const reading = await readPlan(connection, definitions.sections)
      // It may have been closed meanwhile, or another reading begun.
      if (over() || isPast()) return
      showBanner(bannerFor(connection, reading))
      const begun = begunFrom(reading, definitions)
      // Who has begun one goes on with it; what was kept of it is found again from there.
      if (begun && begins()) return show(begun, asked)
      if (instead(reading, asked, begun)) return
      show(before ? anew(shown() ?? before, reading, true) : reading, asked)
    } catch (error) {
      if (over(error) || isPast()) return
      const failure = error instanceof CallFailed ? error : undefined
      const stands = before && (shown() ?? before)
      if (stays(connection, stands, failure)) show({ ...stands, unchecked: new Date() }, asked)
      else failed(failure, asked)
    } finally {
      if (!isPast()) this.#awaited = undefined
    }
  }

  #found(reading: Reading): void {
    const { connection, definitions, editing, instead, over, show } = this.#setup
    if (over()) return
    const before = this.#setup.plan()
    const begun = begunFrom(reading, definitions)
    if (editing().open) {
      const next = before && beside(before, reading, begun)
      if (before && next) this.renew(before, next)
      return
    }
    const goesOn = begun && before?.begun ? begun : undefined
    showBanner(bannerFor(connection, reading))
    if (!goesOn && instead(reading, false, begun)) return
    const next = before ? anew(before, goesOn ?? reading, false) : reading
    if (before && isAlike(before, next)) this.renew(before, next)
    else show(next, false)
  }

  #unread(error: unknown): void {
    const { connection, editing, failed, over } = this.#setup
    if (over(error)) return
    const before = this.#setup.plan()
    const failure = error instanceof CallFailed ? error : undefined
    if (stays(connection, before, failure)) this.renew(before, { ...before, unchecked: new Date() })
    else if (failure && !isSilence(failure) && !editing().open) failed(failure, false)
  }

  /** Puts a plan in the place of what is shown of it: only what is another now. */
  renew(before: PlanShown, plan: PlanShown): void {
    const { acts, definitions, editing, renewed } = this.#setup
    const changed = plan.sight.seen.filter(({ template }) => {
      const [was, now] = [before, plan].map(({ entries }) => entries.newest.get(template)?.version)
      return was !== now
    })
    renewed(plan)
    renewSections(plan, isAlike(before, plan) ? changed : plan.sight.seen, acts)
    renewAround(plan, definitions, acts)
    editing().current(plan)
    this.tell(before, plan)
  }

  /** A section was saved, or its form closed: what is being read now may be older. */
  saved(plan: PlanShown): void {
    this.looking.drop()
    this.#setup.renewed(plan)
  }

  /** Says aloud what is new, and shows below the patient that a decision is another. */
  tell(before: PlanShown | undefined, { news }: PlanShown): void {
    showTurned(decisionStrip(news, (change) => this.#looked(change)))
    if (news && news !== before?.news) announce(newsAloud(news))
  }

  /** A decision that is another was looked at. */
  #looked(change: Change): void {
    const plan = this.#setup.plan()
    if (!plan?.news) return
    const changes = plan.news.changes.map((one) => (one === change ? { ...one, shown: true } : one))
    const next = { ...plan, news: { ...plan.news, changes } }
    this.#setup.renewed(next)
    showTurned(decisionStrip(next.news, (one) => this.#looked(one)))
    leadTo(change.section)
  }

  /** All that is told of others' changes has been seen. */
  seen(): void {
    const before = this.#setup.plan()
    if (!before) return
    this.renew(before, { ...before, news: undefined })
    const heading = document.querySelector<HTMLElement>('.plan h1')
    if (heading) focusOn(heading)
  }
}
