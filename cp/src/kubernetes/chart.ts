import { version } from '@mcpg/proto/version'
import { stringify } from 'yaml'
import { controlPlaneObjects } from './objects/control-plane.ts'
import { accessObjects } from './objects/permissions.ts'
import type { KubernetesObject } from './objects/workload.ts'

/** The values of the chart, with what each is; those without a default are asked for. */
const values = {
  image: { default: `mcpg/control-plane:${version}`, description: 'Image of the control plane' },
  externalUrl: { default: '', description: 'https:// URL under which people reach it', pattern: '^https://' },
  externalGrpc: { default: '', description: 'https:// URL under which gateways reach it', pattern: '^https://' },
  storage: { default: '10Gi', description: 'Size of the volume with the state dir' },
}

const placeholder = (name: keyof typeof values) => `{{ .Values.${name} }}`

export const chartValues = (): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, { default: value }]) => [name, value]))

export function chartSchema() {
  const property = ({ description, ...rest }: { default: string; description: string; pattern?: string }) => ({
    type: 'string',
    description,
    minLength: 1,
    ...('pattern' in rest ? { pattern: rest.pattern } : {}),
  })
  return {
    $schema: 'https://json-schema.org/draft-07/schema',
    type: 'object',
    additionalProperties: false,
    required: Object.keys(values),
    properties: Object.fromEntries(Object.entries(values).map(([name, about]) => [name, property(about)])),
  }
}

/**
 * The files of the chart by their paths. It holds no logic: the objects are those of `mcpg-ctl install kubernetes`, with its values in
 * their places. What needs more is written by that command.
 */
export function chartFiles(): Record<string, string> {
  const namespace = '{{ .Release.Namespace }}'
  const objects = controlPlaneObjects({
    namespace,
    image: placeholder('image'),
    externalUrl: placeholder('externalUrl'),
    externalGrpc: placeholder('externalGrpc'),
    storage: placeholder('storage'),
  })
  return {
    'Chart.yaml': stringify({
      apiVersion: 'v2',
      name: 'mcpg',
      description: 'Control plane for fleets of MCP gateways',
      type: 'application',
      version,
      appVersion: version,
    }),
    'values.yaml': stringify(chartValues()),
    'values.schema.json': `${JSON.stringify(chartSchema(), null, 2)}\n`,
    'templates/control-plane.yaml': documents(objects),
    'templates/access.yaml': documents(accessObjects(namespace)),
  }
}

const documents = (objects: KubernetesObject[]) => objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n')
