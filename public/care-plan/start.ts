/** What both pages of the app need before they can begin. */
import { type Definitions, readDefinitions, readSettings, type Settings } from './definition.js'
import { closedPage } from './pages.js'
import { announce, blank, showContent } from './shell.js'
import { LaunchProblem } from './smart.js'
import { apart } from './text.js'

/** The app's own files, on its own origin. */
async function ownFile(name: string): Promise<unknown> {
  const response = await fetch(new URL(name, location.href), { credentials: 'omit' })
  return response.ok ? response.json() : undefined
}

export const loadSettings = async (): Promise<Settings | undefined> =>
  readSettings(await ownFile('config.json').catch(() => undefined))

export const loadDefinitions = async (): Promise<Definitions | undefined> =>
  readDefinitions(await ownFile('plan.json').catch(() => undefined))

/** Shows why there is no care plan. `retry` only where trying again could help. */
export function showProblem(error: unknown, settings: Settings | undefined, retry?: () => void) {
  const told = { emergencyText: settings?.emergencyText ?? '' }
  blank()
  if (!(error instanceof LaunchProblem)) {
    showContent(closedPage('broken', told), false)
    return
  }
  const again = error.why === 'unreachable' && retry ? { retry } : {}
  showContent(closedPage(error.why, { ...told, ...apart(error.words), ...again }), false)
  announce(document.querySelector('h1')?.textContent ?? '')
}
