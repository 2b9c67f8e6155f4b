/** A CPU profile's time by area: what runs, not what called it. */

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/**
 * Microseconds. Between two looks that lie further apart, something else had the processor.
 */
const LONGEST = 300

type Frame = CpuProfile['nodes'][number]['callFrame']

/** The first row that fits. */
// biome-ignore format: a table
const AREAS: readonly (readonly [string, (frame: Frame) => boolean])[] = [
  ['idle',                   ({ functionName }) => functionName === '(idle)'],
  ['garbage collection',     ({ functionName }) => functionName === '(garbage collector)'],
  ['native, not attributed', ({ functionName }) => functionName === '(program)'],
  ['crypto',                 ({ url, functionName }) => /node:internal\/crypto|node:crypto|\/jose\//.test(url) || /^(sign|verify|hash|digest|signOneShot|verifyOneShot|oneShotDigest|update|randomFillSync)$/.test(functionName) && url === ''],
  ['Cedar',                  ({ url }) => /cedar-wasm|wasm:/.test(url)],
  ['lmdb',                   ({ url }) => /\/lmdb\//.test(url)],
  ['ioredis',                ({ url }) => /\/(ioredis|redis-parser|denque|standard-as-callback)\//.test(url)],
  ['undici',                 ({ url }) => /\/undici\//.test(url)],
  ['express and helmet',     ({ url }) => /\/node_modules\/(express|router|helmet|body-parser|raw-body|finalhandler|send|type-is|vary|on-finished|accepts|qs|path-to-regexp|content-type|iconv-lite|cookie|etag|fresh|encodeurl|escape-html|statuses|depd|mime-db|mime-types|parseurl|negotiator|proxy-addr|content-disposition|http-errors|media-typer|unpipe|ee-first|bytes|merge-descriptors)\//.test(url)],
  ['zod',                    ({ url }) => /\/zod\//.test(url)],
  ['other packages',         ({ url }) => /\/node_modules\//.test(url)],
  ['URLs and parameters',    ({ url }) => /internal\/(url|querystring)|node:querystring|node:url/.test(url)],
  ['http, net and streams',  ({ url }) => /node:(_http|net|internal\/(streams|stream_base|http)|_tls|stream|internal\/js_stream|events)|node:internal\/(buffer|timers|validators|priority_queue|linkedlist)/.test(url)],
  ['promises and hooks',     ({ url }) => /internal\/(process\/(task_queues|promises)|async_hooks|abort_controller|event_target)/.test(url)],
  ['other of node',          ({ url }) => url.startsWith('node:')],
  ['our own code',           ({ url }) => url !== ''],
  ['native functions',       () => true],
]

const short = (url: string): string => url.replace(/^.*\/node_modules\//, '').replace(/^.*\//, '')

/** @returns two Markdown tables: areas, and the dearest functions */
export function areas({ nodes, samples, timeDeltas }: CpuProfile, flows: number): string {
  const own = new Map<number, number>()
  for (const [index, id] of samples.entries())
    own.set(id, (own.get(id) ?? 0) + Math.min(timeDeltas[index] ?? 0, LONGEST))
  const byArea = new Map<string, number>()
  const byFunction = new Map<string, number>()
  const add = (sums: Map<string, number>, name: string, time: number) =>
    sums.set(name, (sums.get(name) ?? 0) + time / flows)
  for (const { id, callFrame } of nodes) {
    const time = own.get(id) ?? 0
    const area = AREAS.find(([, fits]) => fits(callFrame))?.[0] ?? ''
    add(byArea, area, time)
    const { functionName, url, lineNumber } = callFrame
    const place = url === '' ? 'native' : `${short(url)}:${lineNumber + 1}`
    if (area !== 'idle') add(byFunction, `${functionName || '(anonymous)'} ${place}`, time)
  }
  const list = (head: string, sums: Map<string, number>, most: number): string =>
    [
      `| ${head} | µs |`,
      '| --- | ---: |',
      ...[...sums]
        .sort(([, a], [, b]) => b - a)
        .slice(0, most)
        .map(([name, time]) => `| ${name} | ${time.toFixed(0)} |`),
    ].join('\n')
  return `${list('area', byArea, 30)}\n\n${list('function', byFunction, 60)}`
}
