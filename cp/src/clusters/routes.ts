import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  ChangeCluster,
  Cluster,
  ClusterGateways,
  ClusterHealthList,
  ClusterList,
  DecommissionCluster,
  DrainCluster,
  RegisterCluster,
  RegisteredCluster,
} from '@mcpg/proto/rest/clusters'
import { callerOf } from '../http/access-rules.ts'
import type { Idempotency } from '../http/idempotency.ts'
import type { Clusters } from './service.ts'

const admin = { operation: 'cluster-admin' } as const
const ClusterPath = z.object({ id: z.string().max(64).describe('Id or name') })

export const clusterRoutes =
  (clusters: Clusters, onceOnly: Idempotency): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/clusters',
      { config: { access: 'signed-in' }, schema: { ...about('listClusters', 'List clusters'), response: { 200: ClusterList } } },
      async (request) => ({ items: await clusters.list(callerOf(request)) }),
    )
    app.get(
      '/v1/clusters/health',
      {
        config: { access: 'signed-in' },
        schema: { ...about('clusterHealth', 'How clusters are and how full'), response: { 200: ClusterHealthList } },
      },
      async (request) => ({ items: await clusters.health(callerOf(request)) }),
    )
    app.get(
      '/v1/clusters/:id',
      {
        config: { access: 'signed-in' },
        schema: { ...about('getCluster', 'Get a cluster'), params: ClusterPath, response: { 200: Cluster } },
      },
      async (request) => await clusters.get(callerOf(request), request.params.id),
    )
    app.get(
      '/v1/admin/clusters/:id/gateways',
      {
        config: { access: admin },
        schema: {
          ...about('listClusterGateways', 'Gateways of a cluster, of every organization, and how they move away from it'),
          params: ClusterPath,
          response: { 200: ClusterGateways },
        },
      },
      async (request) => await clusters.gateways(request.params.id),
    )
    app.post(
      '/v1/admin/clusters',
      {
        config: { access: admin },
        schema: { ...about('registerCluster', 'Register a cluster'), body: RegisterCluster, response: { 201: RegisteredCluster } },
      },
      async (request, reply) => {
        const register = () => clusters.register(callerOf(request), request.body)
        return reply.code(201).send(await onceOnly.once(request, register))
      },
    )
    app.patch(
      '/v1/admin/clusters/:id',
      {
        config: { access: admin },
        schema: {
          ...about('changeCluster', 'Change how much a cluster takes, its labels, or how it is reached'),
          params: ClusterPath,
          body: ChangeCluster,
          response: { 200: RegisteredCluster },
        },
      },
      async (request) => await clusters.change(callerOf(request), request.params.id, request.body),
    )
    app.post(
      '/v1/admin/clusters/:id/decommission',
      {
        config: { access: admin },
        schema: {
          ...about('decommissionCluster', 'Give a cluster up; its row stays as a tombstone'),
          params: ClusterPath,
          body: DecommissionCluster,
          response: { 200: Cluster },
        },
      },
      async (request) => await clusters.decommission(callerOf(request), request.params.id, request.body),
    )
    app.post(
      '/v1/admin/clusters/:id/drain',
      {
        config: { access: admin },
        schema: {
          ...about('drainCluster', 'Move the gateways of a cluster away'),
          params: ClusterPath,
          body: DrainCluster,
          response: { 200: Cluster },
        },
      },
      async (request) => await onceOnly.once(request, () => clusters.drain(callerOf(request), request.params.id, request.body)),
    )
    for (const [verb, summary] of [
      ['cordon', 'Place nothing new on a cluster'],
      ['uncordon', 'Place gateways on a cluster again'],
    ] as const)
      app.post(
        `/v1/admin/clusters/:id/${verb}`,
        {
          config: { access: admin },
          schema: { ...about(`${verb}Cluster`, summary), params: ClusterPath, response: { 200: Cluster } },
        },
        async (request) => await clusters[verb](callerOf(request), request.params.id),
      )
  }

const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['clusters'] })
