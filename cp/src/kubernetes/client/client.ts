import { managedBy, selectorText } from '../objects/names.ts'
import type { KubernetesObject } from '../objects/workload.ts'
import type { Api } from './api.ts'
import { differences } from './drift.ts'
import { isMissing } from './errors.ts'
import { listPath, objectPath, type Kinded } from './paths.ts'

export type Client = ReturnType<typeof clusterClient>
type List = { items: KubernetesObject[]; metadata: { continue?: string } }
export type Reference = Kinded & { metadata: { name: string; namespace?: string } }

/** What the provisioning does with the objects of a cluster. Everything may be repeated. Throws McpgError. */
export function clusterClient(api: Api) {
  return { apply, scale, drift, find, list, remove, prune }

  /** As it stands on the server afterwards. What others set in fields that we set is taken back. */
  async function apply(object: KubernetesObject): Promise<KubernetesObject> {
    return await api.apply(objectPath(object), object, { fieldManager: managedBy, force: 'true' })
  }

  /** Until the next apply of the whole. */
  async function scale({ apiVersion, kind, metadata: { name, namespace } }: Reference, replicas: number): Promise<void> {
    const reference = { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) } }
    await api.apply(objectPath(reference), { ...reference, spec: { replicas } }, { fieldManager: `${managedBy}-scale`, force: 'true' })
  }

  /** The fields that an apply would change, as JSON pointers; null where the object is not there. */
  async function drift(object: KubernetesObject): Promise<string[] | null> {
    const found = await find(object)
    if (!found) return null
    const wanted = await api.apply<KubernetesObject>(objectPath(object), object, { fieldManager: managedBy, force: 'true', dryRun: 'All' })
    return differences(found, wanted)
  }

  async function find(reference: Reference): Promise<KubernetesObject | null> {
    return await api.get<KubernetesObject>(objectPath(reference)).catch(nothingWhereMissing)
  }

  /** All pages; a kind that the server does not serve has none. */
  async function list(
    kind: Kinded,
    { namespace, labels }: { namespace?: string; labels: Record<string, string> },
  ): Promise<KubernetesObject[]> {
    const items: KubernetesObject[] = []
    let next = ''
    do {
      const page = await api
        .get<List>(listPath(kind, namespace), { labelSelector: selectorText(labels), limit: '500', ...(next ? { continue: next } : {}) })
        .catch(nothingWhereMissing)
      // A list names the kind of its items once.
      items.push(...(page?.items ?? []).map((item) => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind })))
      next = page?.metadata.continue ?? ''
    } while (next)
    return items
  }

  /** False where it was not there. What belongs to it goes with it, in the background. */
  async function remove(reference: Reference): Promise<boolean> {
    const deleted = await api.delete(objectPath(reference), { propagationPolicy: 'Background' }).catch(nothingWhereMissing)
    return deleted !== null
  }

  /** Deletes what carries the labels and is not to be kept; answers what it deleted, as `kind/name`. */
  async function prune(
    kinds: readonly Kinded[],
    { namespace, labels, keep }: { namespace: string; labels: Record<string, string>; keep: readonly Reference[] },
  ): Promise<string[]> {
    const kept = new Set(keep.map((one) => `${one.kind}/${one.metadata.name}`))
    const gone: string[] = []
    for (const kind of kinds)
      for (const object of await list(kind, { namespace, labels })) {
        const name = `${object.kind}/${object.metadata.name}`
        if (!kept.has(name) && (await remove(object))) gone.push(name)
      }
    return gone
  }
}

function nothingWhereMissing(error: unknown): null {
  if (isMissing(error)) return null
  throw error
}
