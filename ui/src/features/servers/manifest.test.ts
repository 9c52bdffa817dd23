import type { Resource } from '@mcpg/proto/kinds/kind'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { manifestOf } from './manifest.ts'

const resource = (spec: Record<string, unknown>, labels: Record<string, string> = {}): Resource => ({
  kind: 'Server',
  metadata: { name: 'a', uid: 'u', labels, annotations: {}, generation: 1, resourceVersion: '7', createdAt: '', updatedAt: '' },
  spec,
  status: { ready: 1 },
})

describe('manifest of an object', () => {
  it('is the grouped form, without status and resourceVersion', () => {
    expect(manifestOf(resource({ package: { runtime: 'node', name: '@x/y' } }, { team: 'a' }), 'servers')).toBe(
      'servers:\n  - name: a\n    labels:\n      team: a\n    package:\n      runtime: node\n      name: "@x/y"\n',
    )
  })

  it('keeps texts that look like something else', () => {
    const spec = {
      env: ['no', '1e3', '0x1f', '2026-01-01', ' a ', 'x: y #z', 'line\nline', 'é', ''].map((value) => ({ name: 'N', value })),
    }
    expect(parse(manifestOf(resource(spec), 'servers'))).toEqual({ servers: [{ name: 'a', ...spec }] })
  })
})
