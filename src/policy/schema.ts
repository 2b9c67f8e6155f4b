/** Whether `gateway.cedarschema` says of questions what the gateway really asks. */
import { CONSOLE_PARTS } from '../core/console.js'
import { ACTIONS, type Action, type Resource } from '../core/decision.js'
import { ROLES } from '../core/roles.js'
import { beyondBounds } from './bounds.js'
import { checkParseSchema, schemaToJsonWithResolvedTypes } from './cedar.js'
import { cedarProblem } from './parse.js'
import type { Problem } from './problem.js'
import { SCHEMA_FILE } from './source.js'
import {
  CONTEXT_TYPES,
  PRINCIPAL_TYPES,
  RESOURCE_TYPES,
  ROLE_TYPE,
  USER_TYPE,
} from './vocabulary.js'

interface SchemaType {
  readonly type: string
  readonly element?: SchemaType
  readonly attributes?: Readonly<Record<string, SchemaType & { required?: boolean }>>
}
interface EntityShape {
  readonly enum?: readonly string[]
  readonly memberOfTypes?: readonly string[]
  readonly shape?: SchemaType
}
interface ActionShape {
  readonly memberOf?: readonly unknown[]
  readonly appliesTo?: {
    readonly principalTypes: readonly string[]
    readonly resourceTypes?: readonly string[]
    readonly context?: SchemaType
  }
}
interface Schema {
  readonly commonTypes?: Readonly<Record<string, SchemaType>>
  readonly entityTypes: Readonly<Record<string, EntityShape>>
  readonly actions: Readonly<Record<string, ActionShape>>
}

/** What stands in one list and not in the other. */
function* differences(
  what: string,
  inSchema: readonly string[],
  ours: readonly string[],
  from: string,
): Generator<string> {
  for (const name of ours) if (!inSchema.includes(name)) yield `${what} "${name}" is missing`
  for (const name of inSchema)
    if (!ours.includes(name)) yield `there is no ${what} "${name}" in ${from}`
}

const spell = ({ type, element }: SchemaType): string =>
  element ? `${type}<${spell(element)}>` : type

function* attributes(
  of: string,
  shape: SchemaType | undefined,
  ours: Readonly<Record<string, string>>,
): Generator<string> {
  const theirs = shape?.attributes ?? {}
  yield* differences(`attribute of ${of}`, Object.keys(theirs), Object.keys(ours), 'the gateway')
  for (const [name, type] of Object.entries(theirs)) {
    if (ours[name] !== undefined && spell(type) !== ours[name])
      yield `attribute "${name}" of ${of} is ${ours[name]}, not ${spell(type)}`
    if (type.required === false)
      yield `attribute "${name}" of ${of} is always present: take its "?" away`
  }
}

function* compare(schema: Schema, sections: readonly string[]): Generator<string> {
  const { entityTypes, actions, commonTypes = {} } = schema
  yield* differences('role', entityTypes[ROLE_TYPE]?.enum ?? [], ROLES, 'the gateway')
  yield* differences(
    'section',
    entityTypes[RESOURCE_TYPES.section]?.enum ?? [],
    sections,
    'plan/sections.yaml',
  )
  const parts = entityTypes[RESOURCE_TYPES.console]?.enum ?? []
  yield* differences('part of the console', parts, CONSOLE_PARTS, 'the gateway')
  yield* differences('action', Object.keys(actions), ACTIONS, 'the gateway')
  const kinds = [USER_TYPE, ROLE_TYPE, ...Object.values(RESOURCE_TYPES)]
  yield* differences('entity', Object.keys(entityTypes), kinds, 'the gateway')
  yield* attributes(USER_TYPE, entityTypes[USER_TYPE]?.shape, PRINCIPAL_TYPES)
  for (const [name, { memberOfTypes = [], shape }] of Object.entries(entityTypes)) {
    const parents = name === USER_TYPE ? [ROLE_TYPE] : []
    yield* differences(`group of ${name}`, memberOfTypes, parents, 'the gateway')
    if (name !== USER_TYPE) yield* attributes(name, shape, {})
  }
  for (const [name, { appliesTo, memberOf = [] }] of Object.entries(actions)) {
    const { context, principalTypes = [] } = appliesTo ?? {}
    if (memberOf.length > 0) yield `action "${name}" stands in a group: name the actions one by one`
    yield* differences(`principal of "${name}"`, principalTypes, [USER_TYPE], 'the gateway')
    const shape = context && (commonTypes[context.type] ?? context)
    yield* attributes(`the context of "${name}"`, shape, CONTEXT_TYPES)
  }
}

/** @param sections the ids of the plan's sections */
export function checkSchema(text: string | undefined, sections: readonly string[]): Problem[] {
  if (text === undefined) return [{ file: SCHEMA_FILE, text: 'is missing' }]
  const beyond = beyondBounds(SCHEMA_FILE, text)
  if (beyond.length > 0) return beyond.map((problem) => ({ line: 1, ...problem }))
  const parsed = checkParseSchema(text)
  if (parsed.type === 'failure') {
    return parsed.errors.map((error) => cedarProblem(SCHEMA_FILE, text, error))
  }
  const read = schemaToJsonWithResolvedTypes(text)
  if (read.type === 'failure') {
    return read.errors.map((error) => cedarProblem(SCHEMA_FILE, text, error))
  }
  const { '': ours, ...others } = read.json as unknown as Record<string, Schema | undefined>
  const named = Object.keys(others).map((name) => `namespace ${name} is not read: use none`)
  const said = ours ? [...compare(ours, sections)] : ['declares nothing']
  return [...new Set([...named, ...said])].map((words) => ({ file: SCHEMA_FILE, text: words }))
}

export interface Pair {
  readonly action: Action
  readonly resource: Resource
}

/**
 * Every action on every resource that a schema allows, in its order; none where it cannot be read.
 *
 * @param apps the apps to ask about: a schema names none
 */
export function pairsOf(text: string, apps: readonly string[]): readonly Pair[] {
  const read = schemaToJsonWithResolvedTypes(text)
  if (read.type === 'failure') return []
  const { '': ours } = read.json as unknown as Record<string, Schema | undefined>
  const { entityTypes, actions } = ours ?? { entityTypes: {}, actions: {} }
  return ACTIONS.flatMap((action) =>
    (['app', 'section', 'fhir', 'console'] as const).flatMap((type) => {
      const name = RESOURCE_TYPES[type]
      if (!actions[action]?.appliesTo?.resourceTypes?.includes(name)) return []
      const ids = type === 'app' ? apps : (entityTypes[name]?.enum ?? [])
      return ids.map((id): Pair => ({ action, resource: { type, id } }))
    }),
  )
}
