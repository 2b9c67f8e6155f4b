/**
 * What was typed and not saved, as the gateway keeps it for its user: nothing of it stays in the browser, which others
 * may use after them.
 */
import type { Witness } from '../../src/core/feeder-audit.js'
import type { Composition } from './composition.js'
import { valuesOf } from './composition.js'
import { CallFailed, type Connection } from './connection.js'
import type { Section, Values } from './definition.js'
import { compositions } from './record.js'
import type { TakenOver, Typed } from './typed.js'

export interface Mark {
  readonly template: string
  readonly kept: Date
  readonly etag: string
}

/** What came back, with what the section held when it was typed. */
export interface Returned extends Typed {
  readonly kept: Date
  readonly before: Values
  /** Of what was taken over, what the gateway saw in the launch that brought it. */
  readonly witnessed: readonly Witness[]
}

/** Stands for what could not be read: whatever differs then has to be chosen. */
const UNREAD = '\u0000'

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Fields that the definitions do not know, or that are no text, are left out. */
function readTyped(json: unknown, section: Section): Typed {
  const { base, values, adopted } = (json ?? {}) as Partial<Record<keyof Typed, unknown>>
  if (typeof values !== 'object' || values === null) throw new CallFailed('failed')
  const told = values as Record<string, unknown>
  const items = Array.isArray(adopted) ? (adopted as readonly Partial<TakenOver>[]) : []
  return {
    ...(typeof base === 'string' ? { base } : {}),
    values: Object.fromEntries(section.fields.map(({ id }) => [id, textOf(told[id])])),
    adopted: items.map(({ field, item, text }) => ({
      ...{ field: textOf(field), item: textOf(item), text: textOf(text) },
    })),
  }
}

export class UnsavedChanges {
  readonly #connection: Connection
  #marks: readonly Mark[] = []
  /** Of what was given back here: only that may be replaced. By template. */
  readonly #seen = new Map<string, string>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  #at(section?: Section): string {
    const base = compositions(this.#connection).replace(/\/composition$/, '/unsaved')
    return section ? `${base}/${encodeURIComponent(section.template)}` : base
  }

  markOf = ({ template }: Section): Mark | undefined =>
    this.#marks.find((one) => one.template === template)

  #mark(template: string, mark: Mark | undefined): void {
    this.#marks = [
      ...this.#marks.filter((one) => one.template !== template),
      ...(mark ? [mark] : []),
    ]
  }

  /** Asks what there is of this plan. @throws CallFailed */
  async load(): Promise<void> {
    const { json } = await this.#connection.call(this.#at())
    const { unsaved } = (json ?? {}) as { readonly unsaved?: unknown }
    if (!Array.isArray(unsaved)) throw new CallFailed('failed')
    this.#marks = (unsaved as readonly Record<string, unknown>[]).map((one) => ({
      ...{ template: textOf(one.template), kept: new Date(textOf(one.kept)) },
      etag: textOf(one.etag),
    }))
  }

  /** @throws CallFailed */
  async read(section: Section): Promise<Returned> {
    const { json, version } = await this.#connection.call(this.#at(section))
    const typed = readTyped(json, section)
    const { kept, witnessed } = json as { readonly kept?: unknown; readonly witnessed?: unknown }
    const mark = { kept: new Date(textOf(kept)), etag: `"${version ?? ''}"` }
    this.#mark(section.template, { template: section.template, ...mark })
    this.#seen.set(section.template, mark.etag)
    return {
      ...typed,
      kept: mark.kept,
      before: await this.#before(section, typed.base),
      witnessed: Array.isArray(witnessed) ? (witnessed as readonly Witness[]) : [],
    }
  }

  async #before(section: Section, base: string | undefined): Promise<Values> {
    if (base === undefined) return valuesOf(section, undefined)
    try {
      const url = `${compositions(this.#connection)}/${encodeURIComponent(base)}`
      const { json } = await this.#connection.call(url)
      return valuesOf(section, json as Composition)
    } catch (error) {
      if (error instanceof CallFailed && error.why === 'ended') throw error
      return Object.fromEntries(section.fields.map(({ id }) => [id, UNREAD]))
    }
  }

  /**
   * @param last the page may go before the answer comes
   * @returns when it was kept, by the gateway's clock
   * @throws CallFailed
   */
  async keep(section: Section, typed: Typed, last: boolean): Promise<Date> {
    const seen = this.#seen.get(section.template)
    const { json, version } = await this.#connection.call(this.#at(section), {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...(seen ? { 'if-match': seen } : {}) },
      body: JSON.stringify({ ...typed, typed: new Date().toISOString() }),
      keepalive: last,
    })
    const kept = new Date(textOf((json as { readonly kept?: unknown } | undefined)?.kept))
    const mark = { template: section.template, kept, etag: `"${version ?? ''}"` }
    this.#mark(section.template, mark)
    return kept
  }

  /** @throws CallFailed */
  async discard(section: Section): Promise<void> {
    await this.#connection.call(this.#at(section), { method: 'DELETE' })
    this.#mark(section.template, undefined)
  }
}
