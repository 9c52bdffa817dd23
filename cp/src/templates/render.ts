import type { Violation } from '@mcpg/proto/errors'
import { placeholder, problemOfParameter, type ParameterValue, type TemplateVersion } from '@mcpg/proto/kinds/template'

export type ParameterValues = Record<string, ParameterValue>

/** What is wrong with the values for a version, below `at`: unknown names, missing ones, those of another type. */
export function problemsOfValues({ parameters = [] }: TemplateVersion, values: ParameterValues, at = '/parameters'): Violation[] {
  const known = new Set(parameters.map(({ name }) => name))
  const unknown = Object.keys(values).filter((name) => !known.has(name))
  return [
    ...unknown.map((name) => ({ pointer: `${at}/${name}`, detail: `is no parameter; there is ${[...known].join(', ') || 'none'}` })),
    ...parameters.flatMap((parameter) => {
      const value = valueOf(parameter, values)
      const detail = value === undefined ? 'is needed: it has no default' : problemOfParameter(parameter, value)
      return detail === null ? [] : [{ pointer: `${at}/${parameter.name}`, detail }]
    }),
  ]
}

/** The spec of the server. A text that is nothing but a placeholder becomes the value with its type. */
export function render({ parameters = [], server }: TemplateVersion, values: ParameterValues): Record<string, unknown> {
  const filled = new Map(parameters.map((parameter) => [parameter.name, valueOf(parameter, values)]))
  return fill(server) as Record<string, unknown>

  function fill(node: unknown): unknown {
    if (typeof node === 'string') return fillText(node)
    if (Array.isArray(node)) return node.map(fill)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, fill(value)]))
  }

  function fillText(text: string): unknown {
    const [whole] = text.matchAll(placeholder)
    if (whole?.[0] === text) return filled.get(whole[1]!)
    return text.replaceAll(placeholder, (_, name: string) => String(filled.get(name)))
  }
}

function valueOf({ name, default: preset }: { name: string; default?: ParameterValue | undefined }, values: ParameterValues) {
  return Object.hasOwn(values, name) ? values[name] : preset
}
