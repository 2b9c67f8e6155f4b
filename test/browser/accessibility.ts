/** What axe finds wrong on a page. */
import axe from 'axe-core'
import type { Frame, Page } from 'playwright-core'

const OPTIONS = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  // Naming every element that is as it should be takes ten times as long as finding those that are not.
  resultTypes: ['violations'],
  iframes: false,
}

interface Found {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}

async function violationsIn(frame: Frame): Promise<readonly string[]> {
  await frame.evaluate(axe.source)
  const run = `axe.run(document, ${JSON.stringify(OPTIONS)}).then(({ violations }) => violations)`
  const found = (await frame.evaluate(run)) as readonly Found[]
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
}

/**
 * Serious and critical violations of WCAG 2.2 A and AA and of good practice: of the page and of each frame in it, one by one, for bringing
 * frames together costs a page of its own each time.
 */
export async function violations(page: Page): Promise<readonly string[]> {
  const found: string[] = []
  for (const frame of page.frames()) found.push(...(await violationsIn(frame)))
  return found
}
