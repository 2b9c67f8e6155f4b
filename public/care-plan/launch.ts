/** launch.html: the EHR, or the gateway, opens it with `?iss=&launch=`. */
import { begin } from './smart.js'
import { loadDefinitions, loadSettings, showProblem } from './start.js'

async function launch(): Promise<void> {
  const [settings, definitions] = await Promise.all([loadSettings(), loadDefinitions()])
  try {
    if (!settings || !definitions) throw new Error('config.json or plan.json')
    await begin(new URL(location.href), settings, definitions)
  } catch (error) {
    // The handle is spent at the gateway, not here: as long as that was not reached, it is still good.
    showProblem(error, settings, () => location.reload())
  }
}

void launch()
