import { clusterConformance } from '../conformance/cluster.ts'
import { startFakeApiServer, useRealApiServer } from '../support/api-server.ts'
import { tellSkipped } from '../support/servers.ts'

clusterConformance('the fake API server', startFakeApiServer)

const kubeconfig = process.env.HEADGATE_TEST_KUBECONFIG
if (kubeconfig === undefined)
  tellSkipped('the suite of clusters against a real API server needs one: HEADGATE_TEST_KUBECONFIG=/path/to/kubeconfig')
else clusterConformance('a real API server', () => useRealApiServer(kubeconfig))
