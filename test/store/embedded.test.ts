import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../src/store/embedded.js'
import { storeContract } from '../contract/store.js'

storeContract('embedded', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'embedded-'))
  return {
    open: (parts) => openEmbedded({ dir, ...parts }),
    sweeps: true,
    stop: () => rm(dir, { recursive: true }),
  }
})
