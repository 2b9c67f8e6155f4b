import { openRedis } from '../../src/store/redis.js'
import { storeContract } from '../contract/store.js'
import { startCluster, startRedis, startSentinel } from '../redis-server.js'

storeContract('redis', async () => {
  const server = await startRedis()
  return {
    open: (parts) => openRedis({ url: server.url, ...parts }),
    sweeps: false,
    stop: () => server.stop(),
  }
})

storeContract('redis by Sentinel', async () => {
  const server = await startRedis()
  const sentinel = await startSentinel(server)
  const sentinels = [{ host: '127.0.0.1', port: sentinel.port }]
  return {
    open: (parts) => openRedis({ sentinels, name: 'gateway', ...parts }),
    sweeps: false,
    async stop() {
      await sentinel.stop()
      await server.stop()
    },
  }
})

storeContract('redis Cluster', async () => {
  const servers = await startCluster()
  const nodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  return {
    open: (parts) => openRedis({ nodes, ...parts }),
    sweeps: false,
    async stop() {
      for (const server of servers) await server.stop()
    },
  }
})
