import { createHash } from 'node:crypto'
import type { KubernetesObject } from './workload.ts'

const annotation = 'mcpg.dev/written'

/** The workload says what all objects of the gateway were written as; the token is not among them, as it comes and goes. */
export function stamped(objects: KubernetesObject[]): KubernetesObject[] {
  const lasting = objects.filter(({ kind }) => kind !== 'Secret')
  const digest = createHash('sha256').update(JSON.stringify(lasting)).digest('hex').slice(0, 16)
  return objects.map((object) => {
    if (object.kind !== 'StatefulSet') return object
    const { metadata } = object
    return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [annotation]: digest } } }
  })
}

export const stampOf = ({ metadata }: KubernetesObject): string | undefined => metadata.annotations?.[annotation]
