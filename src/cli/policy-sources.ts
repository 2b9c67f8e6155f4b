/** Where a command on policies finds them: a folder, such as a Git checkout, or a version of a store. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import type { Config } from '../config.js'
import type { PolicyFiles } from '../policy/source.js'
import type { Store } from '../store/store.js'
import { type Outside, Refused, text, Usage, type Values } from './command.js'
import { withKeptStore } from './with-store.js'

const PLACES = ['policies', 'roles', 'console', 'organizations', 'plan'] as const
type Moved = Partial<Record<(typeof PLACES)[number], string>>

/** Where the configuration keeps what is read, when its gateway.yaml says so; it need not be sound otherwise. */
export function placesOf(directory: string): Moved {
  const file = join(directory, 'gateway.yaml')
  if (!existsSync(file)) return {}
  try {
    const said = (parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 }) ?? {}) as object
    return Object.fromEntries(
      Object.entries(said)
        .filter(([name, place]) => PLACES.some((p) => p === name) && typeof place === 'string')
        .map(([name, place]) => [name, resolve(directory, place)]),
    )
  } catch (error) {
    throw new Refused(`${file}: ${(error as Error).message}`)
  }
}

/** One side of a comparison. */
export interface Side {
  readonly name: string
  readonly files: PolicyFiles
  /** Of the plan's sections, by id; none where the folder has no plan. */
  readonly titles: Readonly<Record<string, string>>
}

/** @throws Problems where the folder's policies cannot be read */
export async function folderSide(directory: string): Promise<Side> {
  const { placesIn, readSource, readTitles } = await import('../policy/source.js')
  const places = { ...placesIn(directory), ...placesOf(directory) }
  const files = await readSource(places)
  const titles = existsSync(places.plan) ? await readTitles(places.plan) : {}
  return { name: directory, files, titles }
}

const titlesOf = ({ plan }: Config) => Object.fromEntries(plan.map(({ id, title }) => [id, title]))

/** @param number of the version; the one in force when absent. @throws Refusal `policy_version_unknown` */
export async function versionSide(store: Store, config: Config, number?: number): Promise<Side> {
  const { keptVersions } = await import('../policy/kept-versions.js')
  const versions = keptVersions(store)
  const { about, files } = await (number === undefined
    ? versions.inForce()
    : versions.version(number))
  return { name: `version ${about.version}`, files, titles: titlesOf(config) }
}

/** @throws Usage */
export function versionNumber(given: string, option: string): number {
  if (!/^[1-9]\d{0,8}$/.test(given)) throw new Usage(`--${option}: expected a version’s number`)
  return Number(given)
}

const VERSION = 'version:'
/** The number that `version:N` names; `undefined` for a folder. @throws Usage */
const numberIn = (values: Values, option: string): number | undefined => {
  const given = text(values, option) ?? ''
  return given.startsWith(VERSION) ? versionNumber(given.slice(VERSION.length), option) : undefined
}

/** Reads both sides; the store is opened only where one of them is a version. @throws Usage, Refused, Problems */
export async function bothSides(
  outside: Outside,
  values: Values,
  work: (from: Side, to: Side) => Promise<void>,
): Promise<void> {
  for (const option of ['from', 'to'])
    if (!text(values, option)) throw new Usage(`--${option}: expected a folder, or version:N`)
  const numbers = { from: numberIn(values, 'from'), to: numberIn(values, 'to') }
  const folder = (option: 'from' | 'to') => folderSide(text(values, option) ?? '')
  if (numbers.from === undefined && numbers.to === undefined)
    return work(await folder('from'), await folder('to'))
  await withKeptStore(outside, values, async (store, config) => {
    const side = (option: 'from' | 'to') => {
      const number = numbers[option]
      return number === undefined ? folder(option) : versionSide(store, config, number)
    }
    await work(await side('from'), await side('to'))
  })
}
