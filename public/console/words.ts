/** What the file in the editor may speak of, as the page gives it: the schema's own words, with what each means. */

export interface Word {
  readonly label: string
  /** In plain words. */
  readonly detail?: string
}

export interface Words {
  /** Of YAML: its keys. */
  readonly keys: readonly string[]
  readonly roles: readonly Word[]
  readonly actions: readonly Word[]
  /** Entity type → its ids. */
  readonly resources: Readonly<Record<string, readonly Word[]>>
  readonly principal: readonly Word[]
  readonly context: readonly Word[]
  /** Attribute, or key of YAML → the texts that it can be. */
  readonly values: Readonly<Record<string, readonly (Word | string)[]>>
}
