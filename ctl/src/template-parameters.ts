import { McpgError, type Violation } from '@mcpg/proto/errors'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Parameter, ParameterValue, TemplateSpec } from '@mcpg/proto/kinds/template'

/** The words of `--param name=value` with the types that a version of the template declares; the control plane judges the values. */
export function readParameters(words: string[], template: Resource, version: string | undefined): Record<string, ParameterValue> {
  const { versions } = template.spec as TemplateSpec
  const chosen = version === undefined ? versions.at(-1) : versions.find((one) => one.version === version)
  const types = new Map((chosen?.parameters ?? []).map((parameter) => [parameter.name, parameter.type]))
  const values: Record<string, ParameterValue> = {}
  const violations: Violation[] = []
  for (const word of words) {
    const at = word.indexOf('=')
    const name = word.slice(0, Math.max(at, 0))
    if (at <= 0) violations.push({ pointer: '--param', detail: `"${word}" is not name=value` })
    else if (Object.hasOwn(values, name)) violations.push({ pointer: '--param', detail: `gives ${name} a second time` })
    else values[name] = typed(word.slice(at + 1), types.get(name))
  }
  if (violations.length > 0) throw new McpgError('invalid', 'usage', 'The parameters cannot be read.', { violations })
  return values
}

function typed(text: string, type: Parameter['type'] | undefined): ParameterValue {
  if (type === 'integer' && /^-?\d+$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}
