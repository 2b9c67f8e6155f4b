/** What axe finds wrong on a page. */
import { readFileSync } from 'node:fs'
import type { Frame, Page } from 'playwright-core'

/** Half the size of `axe.source`: each document is sent it, and reads it anew. */
const AXE = readFileSync('node_modules/axe-core/axe.min.js', 'utf8')

const OPTIONS = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  // Of the rules whose violations are never serious, the two dear ones.
  rules: { region: { enabled: false }, 'heading-order': { enabled: false } },
  // Naming every element that is as it should be takes ten times as long as finding those that are not.
  resultTypes: ['violations'],
  iframes: false,
}

/**
 * Runs axe with the rows of a table left out that differ in their words alone from two before them: of thousands of
 * elements it takes seconds, and what is wrong with one such row is wrong with the first. Written as text, because it runs in the page.
 */
const RUN = `(async () => {
  const words = ['id', 'href', 'for', 'name', 'value', 'title', 'datetime', 'aria-label', 'aria-labelledby', 'aria-describedby']
  const attribute = ({ name, value }) => name + '=' + (words.includes(name) ? value !== '' : value)
  const shape = (node) =>
    node.nodeType === 1
      ? '<' + [node.localName, ...[...node.attributes].map(attribute)].join(' ') + '>' + [...node.childNodes].map(shape).join('') + '</>'
      : node.nodeType === 3 && node.data.trim() !== '' ? 'words' : ''
  const repeated = [...document.querySelectorAll('tbody')].flatMap(({ rows }) => {
    const times = new Map()
    return [...rows].filter((row) => {
      const kind = shape(row)
      times.set(kind, (times.get(kind) ?? 0) + 1)
      return times.get(kind) > 2 && row !== row.parentElement.lastElementChild && !row.contains(document.activeElement)
    })
  })
  const places = repeated.map((row) => {
    const place = document.createComment('')
    row.replaceWith(place)
    return place
  })
  try {
    return (await axe.run(document, ${JSON.stringify(OPTIONS)})).violations
  } finally {
    places.forEach((place, i) => place.replaceWith(repeated[i]))
  }
})()`

interface Found {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}

async function violationsIn(frame: Frame): Promise<readonly string[]> {
  // Half of a page, or one without its styles, has other faults.
  await frame.waitForLoadState()
  if (await frame.evaluate("typeof axe === 'undefined'")) await frame.evaluate(AXE)
  const found = (await frame.evaluate(RUN)) as readonly Found[]
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
}

/**
 * Serious and critical violations of WCAG 2.2 A and AA and of good practice: of the page and of each frame in it, one by one, for bringing
 * frames together costs a page of its own each time.
 * @param place a frame: of it alone
 */
export async function violations(place: Page | Frame): Promise<readonly string[]> {
  const found: string[] = []
  const frames = 'frames' in place ? place.frames() : [place]
  for (const frame of frames) found.push(...(await violationsIn(frame)))
  return found
}
