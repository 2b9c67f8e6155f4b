/** Stacks as they read in the source: jest's own way knows only the maps of what jest transformed. */
const { findSourceMap } = require('node:module')
const { fileURLToPath } = require('node:url')

function placeOf(site) {
  const url = site.getFileName() ?? ''
  const { originalSource, originalLine, originalColumn } =
    findSourceMap(url)?.findEntry(site.getLineNumber() - 1, site.getColumnNumber() - 1) ?? {}
  if (originalSource === undefined) return undefined
  return `${fileURLToPath(new URL(originalSource, url))}:${originalLine + 1}:${originalColumn + 1}`
}

function frameOf(site) {
  const place = placeOf(site)
  return place === undefined ? `${site}` : `${site}`.replace(/file:\/\/[^\s)]*:\d+:\d+/, place)
}

/** For `Error.prepareStackTrace`. */
module.exports = (error, sites) =>
  [Error.prototype.toString.call(error), ...sites.map((site) => `    at ${frameOf(site)}`)].join(
    '\n',
  )
