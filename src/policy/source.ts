/** The files that make a policy version: policies, schema and tests, the roles that they speak of, and the console's posts. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../core/ids.js'
import { isLayerName } from './layers.js'
import { openPlan } from './plan-files.js'
import { type Problem, Problems } from './problem.js'

/**
 * File name → text. Names are `policies/….cedar`, `policies/gateway.cedarschema`, `policies/tests/….yaml`, `roles.yaml`,
 * `console.yaml`, and `policies/invariants.yaml` where there is one; of a local layer `policies/local/<name>/….cedar` and
 * `policies/local/<name>/tests/….yaml`.
 */
export type PolicyFiles = Readonly<Record<string, string>>

export const SCHEMA_FILE = 'policies/gateway.cedarschema'
export const ROLES_FILE = 'roles.yaml'
/** Who has which duty in the console; a version of before there was one lacks it. */
export const CONSOLE_FILE = 'console.yaml'
export const INVARIANTS_FILE = 'policies/invariants.yaml'
/** What each duty allows: in this file and no other. */
export const CONSOLE_POLICIES = 'policies/console.cedar'

/** Where the files are. */
export interface Places {
  /** The directory of the policies. */
  readonly policies: string
  /** `roles.yaml`. */
  readonly roles: string
  /** `console.yaml`. */
  readonly console: string
}

/** Where the files are in a configuration directory that moves nothing. */
export const placesIn = (directory: string) => ({
  policies: join(directory, 'policies'),
  roles: join(directory, 'roles.yaml'),
  console: join(directory, 'console.yaml'),
  organizations: join(directory, 'organizations.yaml'),
  plan: join(directory, 'plan', 'sections.yaml'),
})

/** Of the central files, and of each local layer. */
const MOST_FILES = 200
const MOST_LAYERS = 2_000
const MOST_BYTES = 8 * 1_048_576

/** A folder of a version: what is read there, and how that is said to somebody whose file is not. */
interface Folder {
  readonly reads: RegExp
  /** What somebody could take for a part of the version. */
  readonly seems: RegExp
  readonly said: string
  /** What stands there and is read by its own name, or in its own way. */
  readonly beside: readonly string[]
}
const POLICIES: Folder = {
  reads: /\.cedar$|^invariants\.yaml$/,
  seems: /\.cedar(schema)?$|invariant/i,
  said: 'only .cedar, gateway.cedarschema and invariants.yaml are',
  beside: ['gateway.cedarschema', 'tests', 'local'],
}
const LOCAL: Folder = {
  reads: /\.cedar$/,
  seems: /\.cedar(schema)?$/i,
  said: 'only .cedar is: a local layer uses the schema of policies/',
  beside: ['tests'],
}
const TESTS: Folder = {
  reads: /\.yaml$/,
  seems: /\.(cedar(schema)?|ya?ml)$/i,
  said: 'only .yaml is',
  beside: [],
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/**
 * The names that are read in a folder. What only looks as if it were read is a problem: a `forbid` that is left out
 * without a word is a hole. Hidden names are not: editors and mounted volumes keep copies under them.
 */
async function namesIn(
  directory: string,
  { reads, seems, said, beside }: Folder,
  problems: Problem[],
): Promise<string[]> {
  const wrong = (path: string, text: string) => problems.push({ file: path, text })
  const all = await readdir(directory).catch(() => undefined)
  if (!all) wrong(directory, 'cannot be read')
  const names: string[] = []
  for (const name of (all ?? []).filter((each) => !each.startsWith('.')).sort()) {
    const path = join(directory, name)
    if (beside.includes(name)) continue
    if (await isFolder(path)) wrong(path, `a folder: only files directly in ${directory} are read`)
    else if (reads.test(name)) names.push(name)
    else if (seems.test(name)) wrong(path, `is not read: ${said}`)
  }
  return names
}

type Place = readonly [name: string, path: string]

async function placesOf(
  directory: string,
  name: string,
  folder: Folder,
  problems: Problem[],
): Promise<Place[]> {
  const names = await namesIn(directory, folder, problems)
  if (names.length > MOST_FILES)
    problems.push({ file: directory, text: `holds more than ${MOST_FILES} files` })
  return names.map((each) => [`${name}/${each}`, join(directory, each)])
}

/** The files of the local layers, where there are any. A name that is nobody's is a layer over nobody. */
async function localPlaces(local: string, problems: Problem[]): Promise<Place[]> {
  const wrong = (file: string, text: string) => problems.push({ file, text })
  const names = (await readdir(local).catch(() => [])).filter((name) => !name.startsWith('.'))
  if (names.length > MOST_LAYERS) {
    wrong(local, `holds more than ${MOST_LAYERS} layers`)
    return []
  }
  const places: Place[] = []
  for (const name of names.sort()) {
    const path = join(local, name)
    const folder = await isFolder(path)
    if (!folder) {
      if (POLICIES.seems.test(name))
        wrong(path, 'is not read: put it in a folder named for its organisation or region')
    } else if (!isLayerName(name)) {
      wrong(path, 'is named for nobody: an ODS code (A83001) or a region (north-east) is')
    } else {
      const tests = join(path, 'tests')
      places.push(...(await placesOf(path, `policies/local/${name}`, LOCAL, problems)))
      if (await isFolder(tests))
        places.push(...(await placesOf(tests, `policies/local/${name}/tests`, TESTS, problems)))
    }
  }
  return places
}

/**
 * Reads the files of a policy version. Line endings are made one, so that a version's hash does not depend on how
 * the files were checked out.
 *
 * @throws Problems where a file or folder is missing, would be left out unnoticed, is too large, or one of too many
 */
export async function readSource({ policies, roles, console }: Places): Promise<PolicyFiles> {
  const problems: Problem[] = []
  const places: Place[] = [
    ...(await placesOf(policies, 'policies', POLICIES, problems)),
    [SCHEMA_FILE, join(policies, 'gateway.cedarschema')],
    ...(await placesOf(join(policies, 'tests'), 'policies/tests', TESTS, problems)),
    ...(await localPlaces(join(policies, 'local'), problems)),
    [ROLES_FILE, roles],
    // Without it nobody has a duty in the console, and the rest stands.
    ...((await isThere(console)) ? [[CONSOLE_FILE, console] as Place] : []),
  ]
  if (problems.length > 0) throw new Problems(problems)
  const files: Record<string, string> = {}
  let bytes = 0
  for (const [name, path] of places) {
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text === undefined) throw new Problems([{ file: path, text: 'cannot be read' }])
    bytes += Buffer.byteLength(text)
    if (bytes > MOST_BYTES) throw new Problems([{ file: path, text: 'is too large' }])
    files[name] = text.replaceAll('\r\n', '\n')
  }
  return files
}

/** One text for one content, whatever the order of the files. */
export const hashOfFiles = (files: PolicyFiles): string =>
  sha256(JSON.stringify(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))))

/**
 * The plan's sections by id: as people call them.
 *
 * @param path the plan's main file
 * @throws Problems
 */
export const readTitles = async (path: string): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(openPlan(path).sections.map(({ id, title }) => [id, title]))

/** The ids alone. @throws Problems */
export const readSections = async (path: string): Promise<string[]> =>
  Object.keys(await readTitles(path))
