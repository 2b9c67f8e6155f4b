/** Which files a page is about: the version in force, an older one, or a draft. */
import type { Draft } from '../core/draft.js'
import { Refusal } from '../core/refusal.js'
import { filesUnder, localLayersOf } from '../policy/layer-terms.js'
import type { Layer } from '../policy/layers.js'
import type { PolicyFiles } from '../policy/source.js'
import type { Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

export interface Chosen {
  readonly files: PolicyFiles
  /** In words, for a page. */
  readonly words: string
  readonly draft?: Draft
  /** With a draft: what it began from. */
  readonly version: number
}

const isVersion = (text: string): boolean => /^[1-9]\d{0,8}$/.test(text)

/** The version that an address names, written as we write it. @throws Refusal policy_version_unknown */
export function numberOf({ params: { version = '' } }: Pick<Visit, 'params'>): number {
  if (!isVersion(version)) throw new Refusal('policy_version_unknown', 'no number')
  return Number(version)
}

/** Of other layers a member of one layer sees nothing. */
const seen = ({ layer }: Visit, files: PolicyFiles): PolicyFiles =>
  layer === 'central' ? files : filesUnder(files, layer)

/**
 * Somebody with a duty in one layer sees drafts of that layer alone.
 *
 * @param of a version's number, a draft's id, or nothing
 * @throws Refusal draft_unknown, policy_version_unknown, console_denied
 */
export async function chosen(parts: ConsoleParts, visit: Visit, of: string): Promise<Chosen> {
  const { drafts } = parts
  if (of === '' || isVersion(of)) {
    const { about, files } = of === '' ? await drafts.inForce() : await drafts.version(Number(of))
    const words = of === '' ? `version ${about.version}, in force` : `version ${about.version}`
    return { files: seen(visit, files), version: about.version, words }
  }
  const { draft, files } = await drafts.read(of)
  visit.within(draft.layer)
  const words = `the draft “${draft.title}”`
  return { files: seen(visit, files), version: draft.base.version, words, draft }
}

/**
 * The layer as whose users the matrix is seen: a draft of one layer by its own, if nothing else is asked. A member of
 * one layer sees no other.
 */
export function layerOf(
  visit: Visit,
  { files, draft }: Pick<Chosen, 'files' | 'draft'>,
  asked: string,
): Layer | undefined {
  if (visit.layer !== 'central') return visit.layer as Layer
  const wanted = asked === '' ? draft?.layer : asked
  return localLayersOf(files).find((layer) => layer === wanted)
}

export const appIds = async ({ registry }: Pick<ConsoleParts, 'registry'>) =>
  (await registry.clients()).map(({ id }) => id).sort()
