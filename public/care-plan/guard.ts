/** Watches the user and the time, and does what the session clock says. */
import type { Renewal } from './connection.js'
import type { Lost } from './pages.js'
import { nextStep, type SessionClock } from './session-clock.js'
import { type Warning, warn } from './warning.js'

const ACTIVITY = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchmove', 'input'] as const
const SECOND = 1000
/** A renewal that did not get through is tried again after this long. */
const RETRY = 15_000

interface Watch {
  readonly renew: () => Promise<Renewal>
  readonly end: (why: 'idle' | 'over' | 'ended') => void
  readonly lost: () => Lost | undefined
}

export class SessionGuard {
  #clock: SessionClock
  #warning: Warning | undefined
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
    // Timers sleep with the computer and in hidden tabs.
    for (const event of ['visibilitychange', 'pageshow'] as const) {
      window.addEventListener(event, this.#tick)
    }
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
    for (const event of ['visibilitychange', 'pageshow'] as const) {
      window.removeEventListener(event, this.#tick)
    }
    this.#hide()
  }

  readonly #seen = (): void => {
    // The warning wants an answer, not a nudged mouse.
    if (!this.#warning) this.#clock = { ...this.#clock, active: Date.now() }
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
