/** launch.html: the EHR, or the gateway, opens it with `?iss=&launch=`. */
import { begin } from './smart.js'
import { loadSettings, showProblem } from './start.js'

async function launch(): Promise<void> {
  const settings = await loadSettings()
  try {
    if (!settings) throw new Error('config.json')
    await begin(new URL(location.href), settings)
  } catch (error) {
    // The handle is spent at the gateway, not here: as long as that was not reached, it is still good.
    showProblem(error, settings, () => location.reload())
  }
}

void launch()
