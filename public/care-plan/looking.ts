/** Reads the record anew while a plan, or that there is none, is on the screen: quietly, after a sign of the user. */
import type { Connection } from './connection.js'
import type { Section } from './definition.js'
import { isDue, type Sign } from './freshness.js'
import { type Reading, readPlan } from './reading.js'

interface Setup {
  readonly connection: Connection
  readonly sections: readonly Section[]
  /** When what is on the screen was read; absent where there is nothing to be read anew. */
  readonly readAt: () => Date | undefined
  /** Whether what is read may be older than what is known next, such as while a save is under way. */
  readonly busy: () => boolean
  readonly found: (reading: Reading) => void
  readonly failed: (error: unknown) => void
}

/** How long somebody who begins to edit waits for it, in milliseconds. */
const PATIENCE = 1_500

export class Looking {
  readonly #setup: Setup
  #tried = 0
  #turn = 0
  #underWay: Promise<void> | undefined

  constructor(setup: Setup) {
    this.#setup = setup
  }

  /** What is being read would be older than what is known. */
  drop(): void {
    this.#turn++
  }

  /** A sign that the user is there. */
  seen(sign: Sign): void {
    const readAt = this.#setup.readAt()
    if (document.hidden || !readAt || this.#setup.busy()) return
    if (isDue(sign, readAt.getTime(), this.#tried, Date.now())) void this.#look()
  }

  /** Before something is done with what is shown; whoever waits too long goes on, and is told when it comes. */
  async before(): Promise<void> {
    this.seen('back')
    if (!this.#underWay) return
    const patience = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE))
    await Promise.race([this.#underWay, patience])
  }

  #look(): Promise<void> {
    this.#tried = Date.now()
    this.#underWay ??= this.#read().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #read(): Promise<void> {
    const { connection, sections, found, failed, busy } = this.#setup
    const turn = ++this.#turn
    const isOld = () => turn !== this.#turn || busy()
    try {
      const reading = await readPlan(connection, sections)
      if (!isOld()) found(reading)
    } catch (error) {
      if (!isOld()) failed(error)
    }
  }
}
