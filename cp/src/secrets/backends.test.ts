import { afterAll, beforeAll, expect, it } from 'vitest'
import { testApp, type TestApp } from '../../test/app.ts'

const base = '/v1/orgs/default/workspaces/default'
let test: TestApp
beforeAll(async () => {
  test = await testApp()
})
afterAll(() => test.close())

const backend = (name: string, spec: object) => ({ kind: 'SecretBackend', metadata: { name }, spec })
const apply = (...objects: object[]) => test.call('POST', `${base}/apply`, { objects })

it('is the default alone, whoever says so and in whatever way', async () => {
  expect((await apply(backend('a', { default: true }), backend('b', {}))).status).toBe(200)
  const twice = await test.call('PATCH', `${base}/secretbackends/b`, { spec: { default: true } })
  expect([twice.status, twice.body.errors]).toEqual([
    400,
    [{ pointer: '/spec/default', detail: 'a is the default already: take it from there in the same apply' }],
  ])
  const inOne = await apply(backend('c', { default: true }), backend('d', { default: true }), backend('a', {}))
  expect(inOne.body.errors).toMatchObject([{ pointer: '/objects/1/spec/default' }])
  expect((await apply(backend('a', {}), backend('b', { default: true }))).status).toBe(200)
  expect((await test.call('DELETE', `${base}/secretbackends/b`)).status).toBe(204)
  expect((await test.call('PATCH', `${base}/secretbackends/a`, { spec: { default: true } })).status).toBe(200)
})

it.each([
  ['openbao', /built-in.*openbao is planned/],
  ['plaintext', /never kept as plain text/],
  ['unheard', /must be built-in/],
])('of the type %s is refused, and told what there is', async (type, detail) => {
  const { status, body } = await apply(backend('x', { type }))
  expect([status, body.errors[0].pointer]).toEqual([400, '/objects/0/spec/type'])
  expect(body.errors[0].detail).toMatch(detail)
})
