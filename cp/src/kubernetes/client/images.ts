import { version } from '@mcpg/proto/version'
import type { Api } from './api.ts'

/** `latest` is this version: gateways and their control plane are made for each other. */
export const tagOf = (imageTag: string): string => imageTag.replace(/^latest(?=@|$)/, version)

/** Of a tag, a digest, or both. */
export const imageName = (repository: string, imageTag: string): string =>
  `${repository}${imageTag.startsWith('sha256:') ? '@' : ':'}${tagOf(imageTag)}`

type Node = { status?: { images?: { names?: string[] }[] } }

/**
 * Which digest the tag of an image has on the nodes of a cluster; null where no node has it, none says a digest (as of images that were
 * never in a registry), or they do not agree. Nobody else is asked: the credentials of a registry belong to the cluster.
 */
export async function digestOnNodes(api: Api, { repository, tag }: { repository: string; tag: string }): Promise<string | null> {
  const { items } = await api.get<{ items: Node[] }>('/api/v1/nodes')
  // Runtimes write the registry out that is meant without one.
  const repositories = ['', 'docker.io/', 'docker.io/library/'].map((registry) => registry + repository)
  const digests = items
    .flatMap(({ status }) => status?.images ?? [])
    .filter(({ names = [] }) => repositories.some((one) => names.includes(`${one}:${tag}`)))
    .flatMap(({ names = [] }) => names.map((name) => name.split('@')))
    .flatMap(([name = '', digest]) => (digest !== undefined && repositories.includes(name) ? digest : []))
  const [digest, ...others] = new Set(digests)
  return digest !== undefined && others.length === 0 ? digest : null
}
