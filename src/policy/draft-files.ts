/** What the files of a draft may be: bounded, of known names, and changed only where the draft and its author may. */
import type { Layer } from '../core/console.js'
import { Refusal } from '../core/refusal.js'
import { isLayerName } from './layers.js'
import {
  CONSOLE_FILE,
  CONSOLE_POLICIES,
  INVARIANTS_FILE,
  type PolicyFiles,
  ROLES_FILE,
  SCHEMA_FILE,
} from './source.js'

const LOCAL = 'policies/local/'

/** Of all layers together; the check has bounds for each. */
const MOST_FILES = 5_000
/** Of all files in a draft's record, as JSON: a record of the store holds 4 Mi. */
const MOST_CHARACTERS = 3_500_000
/** Lower case, so that no two names are one where a file system does not tell case. */
const WORD = '[a-z0-9][a-z0-9._-]{0,79}'
/** Everything that may stand beside {@link SINGLE}; of a local layer with its name. */
const NAME = new RegExp(
  `^policies/(?:local/(?<layer>[^/]+)/)?(?:tests/${WORD}\\.yaml|${WORD}\\.cedar)$`,
)
const SINGLE: ReadonlySet<string> = new Set([
  SCHEMA_FILE,
  INVARIANTS_FILE,
  ROLES_FILE,
  CONSOLE_FILE,
])

function isName(name: string): boolean {
  if (SINGLE.has(name)) return true
  const found = NAME.exec(name)
  const layer = found?.groups?.layer
  return found !== null && !name.includes('..') && (layer === undefined || isLayerName(layer))
}

/** What a reader would not see, or see as something else: a policy must be what it looks like. */
const UNSEEN = /[\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|(?![\n\t])\p{Cc}/u

/** @throws Refusal `draft_invalid` */
export function readLayer(text: string): Layer {
  const isLocal = text.startsWith('local/') && isLayerName(text.slice('local/'.length))
  if (text !== 'central' && !isLocal)
    throw new Refusal('draft_invalid', 'layer', {
      told: 'layer: central, or local/ with an ODS code or a region',
    })
  return text as Layer
}

const invalid = (told: string): Refusal => new Refusal('draft_invalid', told, { told })

/** The files that the draft is to hold, as far as they may be files of a version at all. */
function bounded(given: unknown, base: PolicyFiles): PolicyFiles {
  if (given === null || typeof given !== 'object' || Array.isArray(given))
    throw invalid('files: names with texts')
  const entries = Object.entries(given)
  if (entries.length > MOST_FILES) throw new Refusal('draft_too_large', `${entries.length} files`)
  let characters = 0
  const files = entries.map(([name, text]: [string, unknown]): [string, string] => {
    // A file that stands in the base may have a name that no new one may have.
    if (!isName(name) && !Object.hasOwn(base, name)) throw invalid('files: a name is not known')
    if (typeof text !== 'string') throw invalid(`${name}: not a text`)
    characters += text.length
    if (characters > MOST_CHARACTERS) throw new Refusal('draft_too_large', 'too many characters')
    const plain = text.replaceAll('\r\n', '\n')
    if (plain !== base[name] && UNSEEN.test(plain))
      throw invalid(`${name}: holds characters that nobody sees`)
    return [name, plain]
  })
  const read = Object.fromEntries(files)
  if (JSON.stringify(read).length > MOST_CHARACTERS)
    throw new Refusal('draft_too_large', 'too many characters')
  return read
}

/** The names of files that are in one and not in the other, or differ. */
export function changedFiles(before: PolicyFiles, after: PolicyFiles): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => before[name] !== after[name]).sort()
}

/** Where a layer's own files are; of the central one, everything but the local ones. */
export const isOf = (layer: Layer, name: string): boolean =>
  layer === 'central' ? !name.startsWith(LOCAL) : name.startsWith(`policies/${layer}/`)

/** What only a guardian may change: what holds for every version, who may use the console, and what their duties allow. */
export const GUARDED = [INVARIANTS_FILE, CONSOLE_FILE, CONSOLE_POLICIES] as const

export interface FilesEdit {
  readonly layer: Layer
  /** Of the version on which the draft will be built. */
  readonly base: PolicyFiles
  /** As the draft holds them; absent when the edit brings it to another base, which undoes what guardians did. */
  readonly present: PolicyFiles | undefined
  readonly given: unknown
  /** That the editor may change what is guarded. */
  readonly guardian: boolean
}

/**
 * The files of an edit.
 *
 * @throws Refusal `draft_invalid`, `draft_too_large`, `layer_refused`, `guardian_required`
 */
export function readEdit({ layer, base, present, given, guardian }: FilesEdit): PolicyFiles {
  const files = bounded(given, base)
  const other = changedFiles(base, files).find((name) => !isOf(layer, name))
  if (other !== undefined) throw new Refusal('layer_refused', `${layer} changes ${other}`)
  const kept = GUARDED.every((name) =>
    [base, ...(present ? [present] : [])].some((before) => before[name] === files[name]),
  )
  if (!kept && !guardian) throw new Refusal('guardian_required', 'a guarded part was changed')
  return files
}
