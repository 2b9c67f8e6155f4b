import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'

const SRC = join(dirname(fileURLToPath(import.meta.url)), '../src')

/** From the ground up: an area imports itself and what stands before it. */
const ORDER = [
  'core',
  'store',
  'keys',
  'audit',
  'policy',
  'identity',
  'record',
  'session',
  'access',
  'http',
]
const SLICES = ['launch', 'oauth', 'proxy', 'availability', 'sync', 'console']
/** Files directly in src, and what stands beside the composition root. */
const TOP = [
  'config',
  'config-places',
  'config-secrets',
  'log',
  'metrics',
  'foundations',
  'outside',
  'bases',
  'changes',
  'telling',
  'ticking',
  'gateway',
  'open',
  'demo',
  'cli',
  'main',
]

/** What `core` may import besides itself: pure, without clock, randomness or input and output. */
const PURE = new Set(['zod', 'node:crypto', 'rfc6902'])
/**
 * From node:crypto only these. X509Certificate is a parser: the same bytes always read the same, and it
 * opens no file, asks no clock and verifies nothing unless it is told to.
 */
const HASHING =
  /^import \{ (hash as digest|timingSafeEqual|X509Certificate)(, (hash as digest|timingSafeEqual|X509Certificate))* \} from 'node:crypto'/

interface File {
  readonly path: string
  readonly area: string
  readonly text: string
  readonly imports: readonly string[]
}

const areaOf = (path: string): string =>
  path.includes('/') ? (path.split('/')[0] ?? '') : path.replace(/\.ts$/, '')

function files(): readonly File[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(SRC, path), 'utf8')
      const imports = [
        ...text.matchAll(
          /^(?:import|export)[^'"]*?from '([^']+)'|^import '([^']+)'|import\('([^']+)'\)/gm,
        ),
      ].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
      return { path, area: areaOf(path), text, imports }
    })
}

const all = files()

const targetOf = (file: File, name: string): string =>
  relative(SRC, normalize(join(SRC, dirname(file.path), name))).replace(/\.js$/, '.ts')

const edges = all.flatMap((file) =>
  file.imports
    .filter((name) => name.startsWith('.'))
    .map((name) => ({ from: file, to: targetOf(file, name) })),
)

function mayImport(from: string, to: string): boolean {
  if (from === to) return true
  const [a, b] = [ORDER.indexOf(from), ORDER.indexOf(to)]
  if (a >= 0) return b >= 0 && b < a
  if (SLICES.includes(from)) return b >= 0
  if (['config-secrets', 'log', 'metrics', 'ticking'].includes(from)) return b >= 0
  if (from === 'config-places') return b >= 0 || to === 'config-secrets'
  if (from === 'config') return b >= 0 || to.startsWith('config-')
  // The demonstration is made of the outside world's parts: it looks into no slice.
  if (from === 'demo') return b >= 0 || ['config', 'log', 'gateway', 'open'].includes(to)
  if (from === 'foundations') return b >= 0 || to === 'config' || to === 'metrics'
  if (from === 'outside' || from === 'changes')
    return b >= 0 || ['config', 'config-secrets', 'foundations'].includes(to)
  if (from === 'telling') return b >= 0 || ['config', 'foundations', 'oauth'].includes(to)
  if (from === 'bases') return b >= 0 || to === 'config' || to === 'proxy'
  if (from === 'gateway' || from === 'open') return to !== 'demo' && to !== 'cli' && to !== 'main'
  if (from === 'cli') return to !== 'main' && !SLICES.includes(to)
  return from === 'main'
}

describe('the architecture', () => {
  it('has only the areas that the plan knows', () => {
    const known = [...ORDER, ...SLICES, ...TOP]
    expect(all.filter(({ area }) => !known.includes(area)).map(({ path }) => path)).toEqual([])
  })

  it('imports downwards only, and never from one slice into another', () => {
    const wrong = edges
      .filter(({ from, to }) => !mayImport(from.area, areaOf(to)))
      .map(({ from, to }) => `${from.path} imports ${to}`)
    expect(wrong).toEqual([])
  })

  it('keeps the core pure', () => {
    const core = all.filter(({ area }) => area === 'core')
    const outside = core.flatMap(({ path, imports }) =>
      imports
        .filter((name) => !name.startsWith('.') && !PURE.has(name))
        .map((name) => `${path}: ${name}`),
    )
    const crypto = core.flatMap(({ path, text }) =>
      (text.match(/^.*from 'node:crypto'/gm) ?? [])
        .filter((line) => !HASHING.test(line))
        .map((line) => `${path}: ${line}`),
    )
    const impure = core
      .filter(({ text }) =>
        /Date\.now|new Date\(\)|Math\.random|process\.|randomBytes|\bconsole\.(log|error|warn|info)/.test(
          text,
        ),
      )
      .map(({ path }) => path)
    expect({ outside, crypto, impure }).toEqual({ outside: [], crypto: [], impure: [] })
  })

  it('reads the environment, the clock and randomness in one place', () => {
    const impure = all
      .filter(
        ({ area, text }) =>
          area !== 'main' && area !== 'demo' && /process\.env|Date\.now\b|Math\.random/.test(text),
      )
      .map(({ path }) => path)
    expect(impure).toEqual([])
  })

  it('has no cycle', () => {
    const next = new Map<string, string[]>()
    for (const { from, to } of edges) next.set(from.path, [...(next.get(from.path) ?? []), to])
    const done = new Set<string>()
    const visit = (path: string, trail: readonly string[]): readonly string[] => {
      if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
      if (done.has(path)) return []
      for (const to of next.get(path) ?? []) {
        const cycle = visit(to, [...trail, path])
        if (cycle.length > 0) return cycle
      }
      done.add(path)
      return []
    }
    expect(all.map(({ path }) => visit(path, [])).find((cycle) => cycle.length > 0) ?? []).toEqual(
      [],
    )
  })

  it('has no drawer for what nobody wanted to name', () => {
    const drawers = /(^|\/)(utils?|helpers?|common|shared|lib|misc|managers?|services?)(\/|\.ts$)/i
    expect(all.filter(({ path }) => drawers.test(path)).map(({ path }) => path)).toEqual([])
  })
})
