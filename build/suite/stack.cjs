/** Stacks as they read in the source: jest's own way knows only the maps of what jest transformed. */
const { findSourceMap } = require('node:module')
const { fileURLToPath } = require('node:url')

/** By where it is in what runs: a browser's client looks at the stack of each of its calls. */
const places = new Map()

function placeOf(url, line, column) {
  const { originalSource, originalLine, originalColumn } =
    findSourceMap(url)?.findEntry(line - 1, column - 1) ?? {}
  if (originalSource === undefined) return undefined
  return `${fileURLToPath(new URL(originalSource, url))}:${originalLine + 1}:${originalColumn + 1}`
}

function frameOf(site) {
  const url = site.getFileName() ?? ''
  if (!url.startsWith('file:')) return `${site}`
  const [line, column] = [site.getLineNumber(), site.getColumnNumber()]
  const at = `${url}:${line}:${column}`
  if (!places.has(at)) places.set(at, placeOf(url, line, column))
  const place = places.get(at)
  return place === undefined ? `${site}` : `${site}`.replace(at, place)
}

/** For `Error.prepareStackTrace`. */
module.exports = (error, sites) =>
  [Error.prototype.toString.call(error), ...sites.map((site) => `    at ${frameOf(site)}`)].join(
    '\n',
  )
