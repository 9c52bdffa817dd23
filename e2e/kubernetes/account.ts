import { openApi, type Api } from '../../cp/src/kubernetes/client/api.ts'
import { clusterClient } from '../../cp/src/kubernetes/client/client.ts'
import type { ClusterCredentials } from '../../cp/src/kubernetes/client/credentials.ts'
import { managedBy } from '../../cp/src/kubernetes/objects/names.ts'
import { accessObjects } from '../../cp/src/kubernetes/objects/permissions.ts'
import type { Cluster } from './control-plane.ts'

const namespace = 'mcpg'

/** The account with exactly the published role, and a token of it. */
export async function publishedAccount({ admin, server, ca }: Cluster): Promise<{ api: Api; credentials: ClusterCredentials }> {
  const client = clusterClient(admin)
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  for (const object of accessObjects(namespace)) await client.apply(object)
  const { status } = await admin.post<{ status: { token: string } }>(`/api/v1/namespaces/${namespace}/serviceaccounts/${managedBy}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  })
  const credentials = { server, ca, user: { token: status.token } }
  return { api: await openApi(credentials), credentials }
}
