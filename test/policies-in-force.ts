/** Policies in force before a gateway first starts: a test of something else need not judge them again. */
import type { Config } from '../src/config.js'
import { openStore, type World } from '../src/foundations.js'
import { publication } from '../src/policy/publishing.js'
import { createSoundness } from '../src/policy/soundness.js'
import { hashOfFiles, readSource } from '../src/policy/source.js'

/**
 * The configuration's policies in force, as an earlier start would have left them: their own tests, which a first start
 * asks, are asked once for all in test/policy/check.test.ts.
 */
export async function putInForce(config: Config, world: Omit<World, 'allowHttp'>): Promise<void> {
  const { clock } = world
  const files = await readSource(config.paths)
  const version = { files, hash: hashOfFiles(files), previous: undefined, now: clock() }
  const { puts } = publication({ ...version, origin: { origin: 'seed' } })
  const store = await openStore(config, { ...world, allowHttp: true })
  await store.commit({ puts })
  const sections = config.plan.map(({ id }) => id)
  await createSoundness({ store, clock, sections }).add(version.hash)
  await store.close()
}
