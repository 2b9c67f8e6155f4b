/** The API's description, held to the table of its routes. That answers are as it says is shown in api.test.ts. */
import { describe, expect, it } from '@jest/globals'
import { API, apiDoors, apiRows } from '../../src/console/api/routes.js'
import type { Said } from './commanding.js'
import { DOCUMENT, schemaAt } from './documented.js'

const parts = { policies: {}, limits: { commands: (handler: unknown) => handler } } as never
const doors = apiDoors(parts).map(([verb, path]) => ({ verb, path }))
const inForm = (path: string): string =>
  path.slice(API.length).replace(/:(\w+)/g, (_, name) => `{${name}}`)

const operations: readonly (readonly [string, Said, Said])[] = Object.entries<Said>(
  DOCUMENT.paths,
).flatMap(([path, item]) =>
  Object.entries<Said>(item)
    .filter(([verb]) => verb !== 'parameters')
    .map(([verb, operation]) => [`${verb} ${path}`, operation, item] as const),
)

describe('The description of the API', () => {
  it('has every call that there is, and no other', () => {
    const there = [...doors, ...apiRows(parts)].map(({ verb, path }) => `${verb} ${inForm(path)}`)
    expect(operations.map(([name]) => name).sort()).toEqual([...there].sort())
    expect(DOCUMENT.servers).toEqual([{ url: API }])
  })

  it('says of those alone that begin a sign-in that they need no bearer', () => {
    const open = operations.filter(([, operation]) => operation.security?.length === 0)
    const names = doors.map(({ verb, path }) => `${verb} ${inForm(path)}`)
    expect(open.map(([name]) => name).sort()).toEqual(names.sort())
  })

  it.each(operations)(
    '%s names its parameters, its answers, and what it refuses',
    (name, one, item) => {
      const named = [...(item.parameters ?? []), ...(one.parameters ?? [])].map((given: Said) =>
        given.$ref ? DOCUMENT.components.parameters[given.$ref.split('/').at(-1)] : given,
      )
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, param]) => param)
      expect(named.filter(({ in: place }) => place === 'path').map((each) => each.name)).toEqual(
        inPath,
      )
      const { default: refused, ...done } = one.responses
      expect(refused).toEqual({ $ref: '#/components/responses/Refused' })
      const own = Object.values<Said>(done).filter((response) => !response.$ref)
      expect(own.length).toBe(1)
      // An answer with nothing in it is none that is described: the schema holds something.
      expect(schemaAt(own[0]).safeParse({}).success).toBe(false)
      if (one.requestBody)
        expect(schemaAt(one.requestBody).safeParse({ nonsense: 1 }).success).toBe(false)
    },
  )

  it('gives each call a name of its own', () => {
    const names = operations.map(([, { operationId }]) => operationId)
    expect(new Set(names).size).toBe(names.length)
  })
})
