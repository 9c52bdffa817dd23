import type { GatewayParameters } from '@mcpg/proto/rest/provisioning'
import type { ReactNode } from 'react'
import { sizeText } from './parameters.ts'

/** What a managed gateway is deployed with; where it may be only as far as that was asked for. */
export function parameterFacts(parameters: GatewayParameters): [string, ReactNode][] {
  const { size, replicas, maxReplicas, imageTag, image, region } = parameters
  const { isolationTier, allowHigherTier, clusterSelector, strategy, customHostname } = parameters
  return [
    ['Size', `${size} (${sizeText(size)})`],
    ['Replicas', maxReplicas === undefined ? replicas : `${replicas} to ${maxReplicas}, by load`],
    ['Image tag', image ?? imageTag],
    ...(region ? [['Region', region] satisfies [string, string]] : []),
    ['Isolation tier', `${isolationTier ?? 'shared'}${allowHigherTier ? ' or stricter' : ''}`],
    ...(clusterSelector ? [['Cluster selector', <code key="selector">{clusterSelector}</code>] satisfies [string, ReactNode]] : []),
    ...(customHostname ? [['Host name', customHostname] satisfies [string, string]] : []),
    ...(strategy === 'spread' ? [['Strategy', strategy] satisfies [string, string]] : []),
  ]
}
