/** What may stand in a version's YAML files, for the editor: read off the very schemas that judge them. */
import { z } from 'zod'
import { testFile } from './cases.js'
import { invariantsFile } from './invariant-rows.js'
import { consoleFile } from './posts.js'
import { readRoles, rolesFile } from './roles.js'
import { CONSOLE_FILE, INVARIANTS_FILE, type PolicyFiles, ROLES_FILE } from './source.js'

export interface YamlWords {
  readonly keys: readonly string[]
  /** Key → the words that it takes. */
  readonly values: Readonly<Record<string, readonly string[]>>
}

// biome-ignore format: a table
const SCHEMAS: readonly (readonly [RegExp, z.ZodType])[] = [
  [new RegExp(`^${ROLES_FILE}$`),                 rolesFile],
  [new RegExp(`^${CONSOLE_FILE}$`),               consoleFile],
  [new RegExp(`^${INVARIANTS_FILE}$`),            invariantsFile],
  [/^policies\/(local\/[^/]+\/)?tests\/.+\.yaml$/, testFile],
]

/** Keys whose words are the organisation types that `roles.yaml` declares. */
const OF_TYPES = ['organizations', 'organization_type']

type Node = { readonly [name: string]: unknown }
const isNode = (value: unknown): value is Node => value !== null && typeof value === 'object'

/** Every text that a value may be, through alternatives and lists of it. */
function textsOf(node: unknown): readonly string[] {
  if (!isNode(node)) return []
  const own = [...(Array.isArray(node.enum) ? node.enum : []), node.const]
  const inner = [node.items, ...(Array.isArray(node.anyOf) ? node.anyOf : [])]
  const texts = own.filter((one): one is string => typeof one === 'string' && one !== '')
  return [...texts, ...inner.flatMap(textsOf)]
}

function* propertiesIn(node: unknown): Generator<readonly [string, unknown]> {
  if (!isNode(node)) return
  if (isNode(node.properties)) yield* Object.entries(node.properties)
  for (const inner of Object.values(node)) yield* propertiesIn(inner)
}

function typesIn(files: PolicyFiles): readonly string[] {
  try {
    return [...readRoles(files[ROLES_FILE] ?? '').organizationTypes]
  } catch {
    // A file that cannot be read while it is being mended has its problems told elsewhere.
    return []
  }
}

/** @returns `undefined` of a file that is no YAML of ours */
export function yamlWords(file: string, files: PolicyFiles): YamlWords | undefined {
  const schema = SCHEMAS.find(([pattern]) => pattern.test(file))?.[1]
  if (schema === undefined) return undefined
  const known = [...propertiesIn(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))]
  const values = new Map<string, readonly string[]>()
  for (const [key, node] of known)
    values.set(key, [...new Set([...(values.get(key) ?? []), ...textsOf(node)])])
  for (const key of OF_TYPES) {
    const before = values.get(key)
    if (before) values.set(key, [...before, ...typesIn(files)])
  }
  return { keys: [...values.keys()], values: Object.fromEntries(values) }
}
