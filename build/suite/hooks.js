/** How Node finds and reads TypeScript: `./x.js` in a `.ts` file means `./x.ts` where that is there. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformFile } from '@swc/core'

const OPTIONS = {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
  module: { type: 'es6' },
  sourceMaps: 'inline',
  configFile: false,
  swcrc: false,
}
const GLOBALS = new URL('./globals.js', import.meta.url).href
const TESTS = new URL('../../test/', import.meta.url).href

/** JavaScript by the TypeScript's address: many test files import the same. */
const read = new Map()

const withoutRun = (url) => url.replace(/\?.*$/, '')

/** What stands in test/ belongs to the run of the test file that imports it. */
const inRun = (url, parent) => (url.startsWith(TESTS) ? url + (/\?.*$/.exec(parent) ?? '') : url)

export async function resolve(specifier, context, next) {
  const { parentURL = '' } = context
  if (specifier === '@jest/globals') return { url: GLOBALS, format: 'module', shortCircuit: true }
  if (withoutRun(parentURL).endsWith('.ts') && /^\.\.?\/.*\.js$/.test(specifier)) {
    const { href } = new URL(specifier.replace(/\.js$/, '.ts'), parentURL)
    if (existsSync(fileURLToPath(href)))
      return { url: inRun(href, parentURL), format: 'module', shortCircuit: true }
  }
  return next(specifier, context)
}

async function codeOf(file) {
  const { code } = await transformFile(fileURLToPath(file), OPTIONS)
  return code
}

export async function load(url, context, next) {
  const file = withoutRun(url)
  if (!file.endsWith('.ts')) return next(url, context)
  if (!read.has(file)) read.set(file, codeOf(file))
  return { source: await read.get(file), format: 'module', shortCircuit: true }
}
