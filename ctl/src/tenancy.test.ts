import { beforeEach, describe, expect, test } from 'vitest'
import { ctl } from '../test/env.ts'
import { fakeRest } from '../test/fake-rest.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
beforeEach(async () => {
  rest = await fakeRest()
})
const run = (line: string, ...more: string[]) => ctl([...line.split(' '), ...more], { variables: rest.variables })

describe('organizations, workspaces and environments', () => {
  test('are made, shown and deleted by the verbs of objects, where --org and --workspace say', async () => {
    expect(await run('create org acme --display-name', 'Acme Inc')).toMatchObject({ code: 0, stdout: 'org/acme created\n' })
    expect(await run('create workspace shop --org acme')).toMatchObject({ code: 0, stdout: 'workspace/shop created\n' })
    expect(await run('create env prod --org acme --workspace shop -o name')).toMatchObject({ code: 0, stdout: 'environment/prod\n' })
    expect(rest.seen.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/v1/orgs', { name: 'acme', displayName: 'Acme Inc' }],
      ['POST', '/v1/orgs/acme/workspaces', { name: 'shop' }],
      ['POST', '/v1/orgs/acme/workspaces/shop/environments', { name: 'prod' }],
    ])
    expect((await run('get orgs')).stdout).toMatch(/^NAME +DISPLAY NAME +CREATED\nacme +Acme Inc /)
    expect((await run('get organization acme -o yaml')).stdout).toBe('orgs:\n  - name: acme\n    displayName: Acme Inc\n')
    expect((await run('get environments --org acme -A -o name')).stdout).toBe('environment/prod\n')
    expect((await run('describe env prod --org acme --workspace shop')).stdout).toMatch(
      /^Kind: +Environment\nName: +prod\nScope: +acme\/shop\n/,
    )
    expect(await run('delete org acme --yes')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('is not empty: /v1/orgs/acme/workspaces/shop') as string,
    })
    expect(await run('delete env pr* --org acme --workspace shop --yes')).toMatchObject({ code: 0, stdout: 'environment/prod deleted\n' })
    expect(await run('delete ws/shop --org acme --yes')).toMatchObject({ code: 0, stdout: 'workspace/shop deleted\n' })
    expect(await run('delete org acme --yes')).toMatchObject({ code: 0, stdout: 'org/acme deleted\n' })
    expect(await run('get org acme')).toMatchObject({ code: 5 })
  })

  test.each(['edit org/default', 'patch org default a=b', 'wait org/default --for=delete', 'get orgs --watch'])(
    'are no objects for %s',
    async (line) => {
      expect(await run(line)).toMatchObject({ code: 2, stderr: expect.stringContaining('is not for orgs') as string })
    },
  )

  test('have names that are guessed at', async () => {
    expect((await run('get workspce')).stderr).toContain('did you mean workspace?')
    expect((await run('explain')).stdout).toMatch(/\norgs +Org +org, organization/)
  })
})
