/** What policies may speak of, as the page gives it: the schema's own words, with what each means. */

export interface Word {
  readonly label: string
  /** In plain words. */
  readonly detail?: string
}

export interface Words {
  readonly roles: readonly Word[]
  readonly actions: readonly Word[]
  /** Entity type → its ids. */
  readonly resources: Readonly<Record<string, readonly Word[]>>
  readonly principal: readonly Word[]
  readonly context: readonly Word[]
  /** Attribute → the texts that it can be. */
  readonly values: Readonly<Record<string, readonly Word[]>>
}

const NONE: Words = {
  ...{ roles: [], actions: [], resources: {}, principal: [], context: [], values: {} },
}

/** From `<script type="application/json" id="words">`; nothing where the page has none. */
export function wordsOf(page: Document): Words {
  const text = page.getElementById('words')?.textContent
  return text ? { ...NONE, ...(JSON.parse(text) as Partial<Words>) } : NONE
}
