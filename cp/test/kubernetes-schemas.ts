import type { KubernetesObject } from '../src/kubernetes/objects/workload.ts'

type Model = new (object: unknown) => { validate(): void }

/** What the schemas of a recent Kubernetes do not allow: one line a violation, with the object and the path. */
export async function violationsOf(objects: readonly KubernetesObject[]): Promise<string[]> {
  const lines: string[] = []
  for (const object of objects) {
    const of = `${object.kind} ${object.metadata.name}`
    const Model = await modelOf(object)
    if (!Model) {
      lines.push(`${of}: no schema of ${object.apiVersion} ${object.kind}`)
      continue
    }
    try {
      new Model(object).validate()
    } catch (error) {
      const { errors } = error as { errors?: { instancePath: string; message: string }[] }
      if (!errors) throw error
      lines.push(...errors.map(({ instancePath, message }) => `${of}: ${instancePath} ${message}`))
    }
  }
  return lines
}

/** Of operators, by their group; the others are those of Kubernetes itself. */
const packages: Readonly<Record<string, string>> = {
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
}

async function modelOf({ apiVersion, kind }: KubernetesObject): Promise<Model | undefined> {
  const schemas = `${packages[apiVersion.split('/')[0]!] ?? 'kubernetes-models'}/${apiVersion}`
  const found = (await import(schemas).catch(() => ({}))) as Record<string, Model>
  return found[kind]
}
