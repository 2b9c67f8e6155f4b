/** The files that make a policy version: policies, schema and tests, and the roles that they speak of. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256 } from '../core/ids.js'
import { type Problem, Problems } from './problem.js'
import { readYamlFile } from './yaml-file.js'

/**
 * File name → text. Names are `policies/….cedar`, `policies/gateway.cedarschema`, `policies/tests/….yaml`, `roles.yaml`,
 * and `policies/invariants.yaml` where there is one.
 */
export type PolicyFiles = Readonly<Record<string, string>>

export const SCHEMA_FILE = 'policies/gateway.cedarschema'
export const ROLES_FILE = 'roles.yaml'
export const INVARIANTS_FILE = 'policies/invariants.yaml'

/** Where the files are. */
export interface Places {
  /** The directory of the policies. */
  readonly policies: string
  /** `roles.yaml`. */
  readonly roles: string
}

/** Where the files are in a configuration directory that moves nothing. */
export const placesIn = (directory: string) => ({
  policies: join(directory, 'policies'),
  roles: join(directory, 'roles.yaml'),
  organizations: join(directory, 'organizations.yaml'),
  plan: join(directory, 'plan', 'sections.yaml'),
})

const MOST_FILES = 200
const MOST_BYTES = 4 * 1_048_576

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
  beside: ['gateway.cedarschema', 'tests'],
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

/**
 * Reads the files of a policy version. Line endings are made one, so that a version's hash does not depend on how
 * the files were checked out.
 *
 * @throws Problems where a file or folder is missing, would be left out unnoticed, is too large, or one of too many
 */
export async function readSource({ policies, roles }: Places): Promise<PolicyFiles> {
  const tests = join(policies, 'tests')
  const problems: Problem[] = []
  const places: [string, string][] = [
    ...(await namesIn(policies, POLICIES, problems)).map((name): [string, string] => [
      `policies/${name}`,
      join(policies, name),
    ]),
    [SCHEMA_FILE, join(policies, 'gateway.cedarschema')],
    ...(await namesIn(tests, TESTS, problems)).map((name): [string, string] => [
      `policies/tests/${name}`,
      join(tests, name),
    ]),
    [ROLES_FILE, roles],
  ]
  if (problems.length > 0) throw new Problems(problems)
  if (places.length > MOST_FILES) {
    throw new Problems([{ file: policies, text: `holds more than ${MOST_FILES} files` }])
  }
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

const planFile = z.looseObject({ sections: z.array(z.looseObject({ id: z.string() })).min(1) })

/**
 * The ids of the plan's sections, from `sections.yaml`.
 *
 * @throws Problems
 */
export async function readSections(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) throw new Problems([{ file: path, text: 'cannot be read' }])
  return readYamlFile(path, text, planFile).value.sections.map(({ id }) => id)
}
