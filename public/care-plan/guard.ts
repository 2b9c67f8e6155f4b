/** Watches the user and the time, and does what the session clock says. */
import type { Renewal } from './connection.js'
import type { Sign } from './freshness.js'
import type { Lost } from './pages.js'
import { nextStep, type SessionClock } from './session-clock.js'
import { type Warning, warn } from './warning.js'

const ACTIVITY = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchmove', 'input'] as const
const RETURNS = ['visibilitychange', 'pageshow', 'focus'] as const
const SECOND = 1000
/** A renewal that did not get through is tried again after this long. */
const RETRY = 15_000

interface Watch {
  readonly renew: () => Promise<Renewal>
  readonly end: (why: 'idle' | 'over' | 'ended') => void
  readonly lost: () => Lost | undefined
  /** Told of each sign that the user is there, but for those that leave a warning unanswered. */
  readonly seen: (sign: Sign) => void
}

export class SessionGuard {
  #clock: SessionClock
  #warning: Warning | undefined
  /** Before the warning is there: to put it up moves the focus, which is no sign of anybody. */
  #warned = false
  /** The end that cannot be put off was shown and understood. */
  #understood = false
  /** The user asked to stay, and no renewal has got through since. */
  #asked = false
  #tried = 0
  readonly #timer: number
  readonly #watch: Watch

  constructor(clock: SessionClock, watch: Watch) {
    this.#clock = clock
    this.#watch = watch
    this.#timer = window.setInterval(this.#tick, SECOND)
    for (const event of ACTIVITY) {
      document.addEventListener(event, this.#seen, { passive: true, capture: true })
    }
    for (const event of RETURNS) window.addEventListener(event, this.#back)
  }

  /** The gateway answered a call: its patience starts anew. */
  answered(): void {
    this.#clock = { ...this.#clock, called: Date.now() }
  }

  /** A renewal brought new times. */
  reset(clock: SessionClock): void {
    this.#clock = { ...clock, active: this.#clock.active }
  }

  stop(): void {
    window.clearInterval(this.#timer)
    for (const event of ACTIVITY) {
      document.removeEventListener(event, this.#seen, { capture: true })
    }
    for (const event of RETURNS) window.removeEventListener(event, this.#back)
    this.#hide()
  }

  readonly #seen = (): void => {
    // The warning wants an answer, not a nudged mouse.
    if (this.#warned) return
    this.#clock = { ...this.#clock, active: Date.now() }
    this.#watch.seen('there')
  }

  /** Timers sleep with the computer and in hidden tabs. */
  readonly #back = ({ type }: Event): void => {
    if (type !== 'focus') this.#tick()
    if (!this.#warned) this.#watch.seen('back')
  }

  readonly #tick = (): void => {
    const now = Date.now()
    const step = nextStep(this.#clock, now)
    if (step.do === 'end') {
      this.stop()
      this.#watch.end(step.why)
    } else if (step.do === 'renew' && now - this.#tried >= RETRY) {
      this.#tried = now
      void this.#renew()
    } else if (step.do === 'warn') {
      this.#show(step.left, step.extendable)
      if (this.#asked && now - this.#tried >= RETRY) void this.#stay()
    } else if (step.do === 'nothing') {
      this.#hide()
    }
  }

  #show(left: number, extendable: boolean): void {
    if (!extendable && this.#understood) return
    this.#warned = true
    this.#warning ??= warn({
      extendable,
      lost: this.#watch.lost(),
      answer: () => void this.#answer(extendable),
    })
    this.#warning.update(left)
  }

  #hide(): void {
    this.#warning?.close()
    this.#warning = undefined
    this.#warned = false
    this.#asked = false
  }

  async #answer(extendable: boolean): Promise<void> {
    if (!extendable) {
      this.#understood = true
      this.#hide()
      return
    }
    this.#asked = true
    await this.#stay()
  }

  async #stay(): Promise<void> {
    this.#tried = Date.now()
    const renewal = await this.#renew()
    if (renewal === 'unreachable') this.#warning?.failed()
    else if (renewal === 'renewed') this.#tick()
  }

  async #renew(): Promise<Renewal> {
    const renewal = await this.#watch.renew()
    if (renewal === 'ended') {
      this.stop()
      this.#watch.end('ended')
    }
    return renewal
  }
}
