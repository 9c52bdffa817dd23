import { expect, test } from 'vitest'
import { version } from '@mcpg/proto/version'
import type { Api } from './api.ts'
import { digestOnNodes, imageName } from './images.ts'

const [one, two] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`]

test('an image is named by tag, by digest or by both, and latest is this version', () => {
  expect(['latest', '1.2', one, `1.2@${one}`, `latest@${one}`].map((tag) => imageName('registry.example.com:5000/gateway', tag))).toEqual([
    `registry.example.com:5000/gateway:${version}`,
    'registry.example.com:5000/gateway:1.2',
    `registry.example.com:5000/gateway@${one}`,
    `registry.example.com:5000/gateway:1.2@${one}`,
    `registry.example.com:5000/gateway:${version}@${one}`,
  ])
})

test('a tag stands for the digest that all nodes have of it which say one', async () => {
  const found = async (...nodes: string[][][]) => {
    const items = nodes.map((images) => ({ status: { images: images.map((names) => ({ names })) } }))
    return await digestOnNodes({ get: async () => ({ items }) } as unknown as Api, { repository: 'mcpg/gateway', tag: '1.2' })
  }
  expect(await found([[`mcpg/gateway@${one}`, 'mcpg/gateway:1.2']], [])).toBe(one)
  expect(
    await found([[`docker.io/mcpg/gateway@${one}`, 'docker.io/mcpg/gateway:1.2']], [[`mcpg/gateway@${one}`, 'mcpg/gateway:1.2']]),
  ).toBe(one)
  // Of another tag, of another repository, never in a registry, two that differ, and a node that tells nothing of its images.
  expect(await found([[`mcpg/gateway@${one}`, 'mcpg/gateway:1.3']])).toBeNull()
  expect(await found([[`other.example.com/mcpg/gateway@${one}`, 'other.example.com/mcpg/gateway:1.2']])).toBeNull()
  expect(await found([['mcpg/gateway:1.2']])).toBeNull()
  expect(await found([[`mcpg/gateway@${one}`, 'mcpg/gateway:1.2']], [[`mcpg/gateway@${two}`, 'mcpg/gateway:1.2']])).toBeNull()
  expect(await digestOnNodes({ get: async () => ({ items: [{}] }) } as unknown as Api, { repository: 'x', tag: '1' })).toBeNull()
})
