/** What is in force: its policies, its files, and who has which duty by it. */
import { z } from 'zod'
import { type Layer, layersOf } from '../core/console.js'
import { Refusal } from '../core/refusal.js'
import { parameter, readParameters } from '../http/parameters.js'
import { createCache } from '../policy/cache.js'
import type { WholeVersion } from '../policy/draft-records.js'
import { type ParsedPolicy, parsePolicies } from '../policy/parse.js'
import { readPosts } from '../policy/posts.js'
import type { PolicyFiles } from '../policy/source.js'
import { inWords, originInWords } from './in-words.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { numberOf } from './version-chosen.js'

/** Reading a thousand policies takes a moment, and a version never changes. */
const read = createCache<readonly ParsedPolicy[]>(8)
function policiesOf({ about: { hash }, files }: WholeVersion): readonly ParsedPolicy[] {
  const known = read.get(hash)
  if (known) return known
  const { policies } = parsePolicies(files)
  read.set(hash, policies)
  return policies
}

const layerOf = (file: string): Layer => {
  const [, name] = /^policies\/local\/([^/]+)\//.exec(file) ?? []
  return name === undefined ? 'central' : `local/${name}`
}

/** Files that this member may see: the central ones, which are everybody's, and those of layers of theirs. */
function visible(
  { policies }: ConsoleParts,
  { member, mayIn }: Visit,
  files: PolicyFiles,
): readonly string[] {
  const own = layersOf(policies.posts(), member.uid)
  const may = new Map<Layer, boolean>([['central', true]])
  return Object.keys(files)
    .sort()
    .filter((name) => {
      const layer = layerOf(name)
      const seen = may.get(layer) ?? (mayIn('console-view', layer) || own.includes(layer))
      may.set(layer, seen)
      return seen
    })
}

const rowOf = ({ id, effect, reason, layer, file, line }: ParsedPolicy, href: string) => ({
  ...{ id, effect, reason, file, line, href },
  layer: layer === 'central' || layer === 'delegated' ? layer : layerOf(file),
})

const fileHref = (version: number, name: string): string =>
  `/console/versions/${version}/file?name=${encodeURIComponent(name)}`

/** What a page shows of any version. */
export function contentsOf(parts: ConsoleParts, visit: Visit, version: WholeVersion) {
  const { about, files } = version
  const names = visible(parts, visit, files)
  const seen = new Set(names)
  const hrefOf = (name: string) => fileHref(about.version, name)
  return {
    policies: policiesOf(version)
      .filter(({ file }) => seen.has(file))
      .map((policy) => rowOf(policy, hrefOf(policy.file))),
    files: names.map((name) => ({ name, href: hrefOf(name) })),
    posts: readPosts(files)
      .filter(({ layer }) => visit.mayIn('console-view', layer))
      .map(({ uid, duties, layer }) => [uid, duties.join(', '), layer]),
  }
}

/** GET /console/policies */
export const policiesPage =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const version = await parts.drafts.inForce()
    const { about } = version
    return {
      ...{ view: 'policies', title: 'Policies in force' },
      about: { policy: { version: about.version } },
      data: {
        about: {
          ...seenAbout(visit, about),
          ...{ at: inWords(about.at), how: originInWords(about.origin) },
        },
        ...contentsOf(parts, visit, version),
      },
    }
  }

const asked = z.object({ name: parameter(200) })

/** GET /console/versions/:version/file @throws Refusal policy_version_unknown, not_found */
export const versionFile =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const { about, files } = await parts.drafts.version(numberOf(visit))
    const { name } = readParameters(asked, visit.sent)
    if (!visible(parts, visit, files).includes(name))
      throw new Refusal('not_found', 'no such file in the version')
    return {
      ...{ view: 'version-file', title: name },
      crumbs: [{ text: `Version ${about.version}`, href: `/console/versions/${about.version}` }],
      about: { policy: { version: about.version }, detail: { file: name } },
      data: { text: files[name], language: name.endsWith('.yaml') ? 'yaml' : 'cedar' },
    }
  }

/** How a version came into force; of another layer's change a member of one layer hears no more than that there was one. */
export function seenAbout({ layer, mayIn }: Visit, about: WholeVersion['about']) {
  if (layer === 'central' || about.layer === undefined || mayIn('console-view', about.layer))
    return about
  const {
    by: _by,
    approver: _approver,
    reason: _reason,
    ticket: _ticket,
    draft: _,
    ...rest
  } = about
  return rest
}

/** The files of a version as far as a member may see them. */
export const seenFiles = (parts: ConsoleParts, visit: Visit, files: PolicyFiles): PolicyFiles =>
  Object.fromEntries(visible(parts, visit, files).map((name) => [name, files[name] ?? '']))
