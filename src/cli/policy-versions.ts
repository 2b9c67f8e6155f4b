import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import type { Records } from '../core/records.js'
import type { PolicyFiles } from '../policy/source.js'
import { type Command, need, Refused } from './command.js'
import { versionNumber, versionSide } from './policy-sources.js'
import { STORE_OPTIONS, withKeptStore } from './with-store.js'

const MOST_LISTED = 100

function line({ version, at, hash, origin = 'seed', by, reason, of }: Records['policy']): string {
  const when = new Date(at).toISOString().replace('T', ' ').slice(0, 16)
  const how = of === undefined ? origin : `${origin} of ${of}`
  const who = by ? `${by.name} (${by.uid})` : 'the files of a node that started'
  return [String(version).padStart(5), when, hash.slice(0, 12), how, who, reason]
    .filter(Boolean)
    .join('  ')
}

export const policyList: Command = {
  name: 'policy list',
  summary: 'list the versions of the policies that were in force, the youngest first',
  help: `
Each with its number, when it came into force, the first letters of its hash, how, by whom and why.

  launch-gateway policy list --config /etc/launch-gateway`,
  options: STORE_OPTIONS,
  run: (outside, values) =>
    withKeptStore(outside, values, async (store) => {
      const { keptVersions } = await import('../policy/kept-versions.js')
      for (const about of await keptVersions(store).history(MOST_LISTED)) outside.say(line(about))
    }),
}

const PARTS = ['policies', 'roles.yaml', 'console.yaml']

/**
 * Writes the files of a version as `policies/…`, `roles.yaml` and `console.yaml`.
 *
 * @throws Refused where such files stand there already, unless they are to be replaced; then none of them stays
 */
export async function writeFiles(to: string, files: PolicyFiles, replace: boolean): Promise<void> {
  const taken = PARTS.filter((part) => existsSync(join(to, part)))
  if (taken.length > 0 && !replace)
    throw new Refused(
      `${to} holds ${taken.join(', ')}: name an empty folder, or replace them by --replace`,
    )
  const places = Object.entries(files).map(([name, text]) => [resolve(to, name), text] as const)
  // Names come from the store: none may lead out of the folder.
  const astray = places.find(([place]) => !place.startsWith(resolve(to) + sep))
  if (astray) throw new Refused(`the version holds a file that does not belong in ${to}`)
  for (const part of taken) await rm(join(to, part), { recursive: true })
  for (const [place, text] of places) {
    await mkdir(dirname(place), { recursive: true })
    await writeFile(place, text, { flag: 'wx' })
  }
}

export const policyExport: Command = {
  name: 'policy export',
  summary: 'write the files of a policy version into a folder',
  help: `
The folder then holds policies/, roles.yaml and console.yaml, as they were in force: to look at, to keep in a
repository, or to begin the next change from. With --replace those that stand there go first, so that what the version
does not have is not there either.

  launch-gateway policy export --version 3 --to checkout
  launch-gateway policy export --version 3 --to checkout --replace`,
  options: {
    version: {
      type: 'string',
      value: 'N',
      help: 'the version’s number (default the one in force)',
    },
    to: { type: 'string', value: 'DIR', help: 'the folder; made where there is none' },
    replace: { type: 'boolean', help: 'take away policies, roles and duties that stand there' },
    ...STORE_OPTIONS,
  },
  async run(outside, values) {
    const to = need(values, 'to')
    const number =
      values.version === undefined ? undefined : versionNumber(need(values, 'version'), 'version')
    await withKeptStore(outside, values, async (store, config) => {
      const { name, files } = await versionSide(store, config, number)
      await writeFiles(to, files, values.replace === true)
      outside.say(`${name}: ${Object.keys(files).length} files in ${to}`)
    })
  },
}
