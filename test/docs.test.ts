/** What a stranger reads, held against what is there. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { COMMANDS } from '../src/cli/commands.js'
import { OPENEHR_INTERACTIONS } from '../src/core/openehr-calls.js'
import { LIMITS } from '../src/core/rates.js'
import { KINDS } from '../src/core/records.js'
import { REFUSALS } from '../src/core/refusal.js'
import { launchSystemRow } from '../src/core/registration.js'
import { gatewayFile } from '../src/core/settings.js'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

interface Page {
  readonly path: string
  readonly text: string
}

const pages: readonly Page[] = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))

const page = (path: string): string => pages.find((each) => each.path === path)?.text ?? ''

/** Cells of every table row whose first cell is code. */
const rowsOf = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

const codesIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '')

/** A heading's anchor, as code hosts make it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

const anchorsIn = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading ?? ''))

/** Blocks of code without their fences, by language. */
const blocksOf = (text: string, language: string): readonly string[] =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)]
    .filter(([, said]) => said === language)
    .map(([, , code]) => code ?? '')

describe('Links', () => {
  const links = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ path, target: target ?? '' })),
  )

  it('lead to files that are there', () => {
    const dead = links
      .filter(({ target }) => !/^(https?:|#)/.test(target))
      .filter(({ path, target }) => {
        const [file = ''] = target.split('#')
        return !existsSync(resolve(ROOT, dirname(path), file))
      })
    expect(dead).toEqual([])
  })

  it('lead to headings that are there', () => {
    const dead = links
      .filter(({ target }) => target.includes('#') && !/^https?:/.test(target))
      .filter(({ path, target }) => {
        const [file = '', anchor = ''] = target.split('#')
        const to = file === '' ? path : relative(ROOT, resolve(ROOT, dirname(path), file))
        return !anchorsIn(page(to)).includes(anchor)
      })
    expect(dead).toEqual([])
  })

  it('in the list of decisions name every one of them', () => {
    const decisions = readdirSync(join(ROOT, 'docs/decisions')).filter((name) => /^\d/.test(name))
    for (const name of decisions) expect(page('docs/decisions/README.md')).toContain(`(${name})`)
  })
})

describe('What is named', () => {
  it('as a file is there, from the root or from where it is spoken of', () => {
    const places = ['', 'src', 'config', 'docs'].map((folder) => join(ROOT, folder))
    const dead = pages.flatMap(({ path, text }) =>
      codesIn(text.replace(/^```[\s\S]*?^```/gm, ''))
        .filter((code) =>
          /^[\w-]+\/[\w./-]*\.(ts|js|md|yaml|cedar|cedarschema|svg|png)$/.test(code),
        )
        .filter((code) => !places.some((place) => existsSync(join(place, code))))
        .map((code) => ({ path, code })),
    )
    expect(dead).toEqual([])
  })

  it('as an npm script can be run', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const named = pages.flatMap(({ text }) => [
      ...[...text.matchAll(/\bnpm run (?:-s )?([\w-]+)/g)].map(([, name]) => name ?? ''),
      ...[...text.matchAll(/\bnpm (start|test)\b/g)].map(([, name]) => name ?? ''),
    ])
    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'build']))
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  it('as a command is one, with options that it takes', () => {
    const lines = pages.flatMap(({ text }) =>
      [
        ...text
          .replace(/\\\n\s*/g, '')
          .matchAll(/(?:npx |main\.js |[^\w/-]|^)launch-gateway ([a-z][^`\n|]*)/gm),
      ]
        .filter(([whole]) => !/\.\.\.|serve outside/.test(whole))
        .map(([, words]) => words?.trim() ?? ''),
    )
    const commands = lines.filter((line) => COMMANDS.some(({ name }) => line.startsWith(name)))
    expect(commands.length).toBeGreaterThan(8)
    for (const line of commands) {
      const command = COMMANDS.find(({ name }) => line.startsWith(name))
      const args = [...line.slice(command?.name.length ?? 0).matchAll(/"([^"]*)"|(\S+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? '',
      )
      const options = Object.fromEntries(
        Object.entries(command?.options ?? {}).map(([name, { type, multiple = false }]) => [
          name,
          { type, multiple },
        ]),
      )
      const taken = () => parseArgs({ args, options, strict: true, allowPositionals: false })
      expect(taken).not.toThrow()
    }
  })

  it('as the oldest Node is the one that the package asks for', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const oldest = engines.node.replace('>=', '')
    expect(page('README.md')).toContain(`Node ${oldest} or later`)
    expect(page('docs/operating.md')).toContain(`Node ${oldest} or later`)
  })
})

describe('The tables', () => {
  it('of refusals, for integrators and for apps, hold every code with its status, and no other', () => {
    const said = rowsOf(page('docs/integrating.md'))
      .filter(([, status]) => /^\d{3}$/.test(status ?? ''))
      .map(([code, status]) => [code?.replaceAll('`', ''), Number(status)])
    const meant = Object.entries(REFUSALS).map(([code, { status }]) => [code, status])
    expect(said.sort()).toEqual(meant.sort())
  })

  it('of openEHR interactions holds every row, with its request and the letters that it needs', () => {
    const values: Readonly<Record<string, string>> = {
      ...{ ehr_id: 'b1f6d8a2-0c94-4e37-8f5a-6d2e9c71b401', template_id: 'a::b.v1', name: 'a::b' },
      uid: '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01',
      version_uid: '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01::s::1',
    }
    const said = rowsOf(page('docs/openehr-scopes.md')).map(([, request = '', scope = '']) => {
      const [method = '', path = ''] = codesIn(request)[0]?.split(' ') ?? []
      const address = path.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? name)
      const row = OPENEHR_INTERACTIONS.find(
        (each) => each.method === method && each.path.test(address),
      )
      return { row, letters: codesIn(scope).filter((code) => code.length === 1) }
    })
    expect(said.map(({ row }) => row)).toEqual([...OPENEHR_INTERACTIONS])
    for (const { row, letters } of said) expect(letters).toEqual(row?.letters)
    const names = rowsOf(page('docs/openehr-scopes.md')).map(([name = '']) => codesIn(name)[0])
    expect(names).toEqual(OPENEHR_INTERACTIONS.map(({ name }) => name))
  })

  it('of record kinds holds every kind, and no other', () => {
    const [, after = ''] = page('docs/architecture.md').split('\n## Record kinds\n')
    const [table = ''] = after.split('\n## ')
    const said = rowsOf(table).flatMap(([kinds = '']) => codesIn(kinds))
    expect([...said].sort()).toEqual(Object.keys(KINDS).sort())
  })

  it('of rate limits hold every row with its numbers, in the words for operators and in the example', () => {
    const [, after = ''] = page('docs/operating.md').split('\n## Rate limits\n')
    const [table = ''] = after.split('\n## ')
    const said = rowsOf(table)
      .filter(([, , , points]) => /^\d+$/.test(points ?? ''))
      .map(([name, , , points, per]) => [name?.replaceAll('`', ''), Number(points), Number(per)])
    expect(said).toEqual(
      Object.entries(LIMITS).map(([name, { points, per }]) => [name, points, per]),
    )
    const example = parse(readFileSync(join(ROOT, 'config/gateway.yaml'), 'utf8')).limits.rates
    expect(example).toEqual(Object.fromEntries(said))
  })

  it('of the configuration holds every key, and no other', () => {
    const [, after = ''] = page('docs/operating.md').split('\n## Configuration\n')
    const [table = ''] = after.split('\n## ')
    const said = rowsOf(table).flatMap(([keys = '']) => codesIn(keys))
    expect([...said].sort()).toEqual(keysOf(gatewayFile).sort())
  })
})

interface Schema {
  readonly def: {
    readonly type: string
    readonly shape?: Readonly<Record<string, Schema>>
    readonly innerType?: Schema
    readonly options?: readonly Schema[]
  }
}

/** Every leaf of a schema, by its path. */
function keysOf(schema: unknown, path = ''): string[] {
  const { shape, innerType, options } = (schema as Schema).def
  if (innerType) return keysOf(innerType, path)
  if (options) return [...new Set(options.flatMap((option) => keysOf(option, path)))]
  if (!shape) return [path]
  return Object.entries(shape).flatMap(([name, inner]) =>
    keysOf(inner, path === '' ? name : `${path}.${name}`),
  )
}

describe('The examples', () => {
  it('of launch systems are rows that would be accepted', () => {
    const rows = blocksOf(page('docs/integrating.md'), 'yaml').flatMap((text) => parse(text))
    expect(rows.length).toBeGreaterThan(2)
    for (const row of rows) expect(launchSystemRow.safeParse(row).error?.issues ?? []).toEqual([])
  })

  it('of claims name only claims that are read', () => {
    const [, after = ''] = page('docs/integrating.md').split('\n## The launch token\n')
    const [table = ''] = after.split('\n## ')
    const claims = rowsOf(table).flatMap(([names = '']) => codesIn(names))
    const read = readFileSync(join(ROOT, 'src/core/launch-claims.ts'), 'utf8')
    const mapped = [
      ...(/const CLAIMS[^=]*= \[([\s\S]*?)\]/.exec(read)?.[1] ?? '').matchAll(/'([^']+)'/g),
    ]
    const own = ['iss', 'aud', 'iat', 'exp', 'nbf', 'jti']
    expect([...claims].sort()).toEqual([...own, ...mapped.map(([, name]) => name)].sort())
  })

  it('have pictures that a slow line can carry', () => {
    const pictures = readdirSync(join(ROOT, 'docs/pictures'))
    for (const name of pictures) {
      const { size } = statSync(join(ROOT, 'docs/pictures', name))
      expect([name, size <= 250 * 1024]).toEqual([name, true])
    }
  })
})
