import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { childEnvironment } from './environment.ts'
import { readNpmConfig } from './npm-config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpg-runtimes-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('gives a server its variables from an allow list, its own last', () => {
  const own = {
    PATH: '/bin',
    HOME: '/home/me',
    LC_ALL: 'C',
    AWS_SECRET_ACCESS_KEY: 's',
    NODE_OPTIONS: '--x',
    MCPG_TOKEN: 't',
    WANTED: 'w',
    TZ: 'UTC',
  }
  expect(childEnvironment({ env: { TZ: 'CET', A: 'b' }, inheritEnv: ['WANTED', 'ABSENT'] }, own)).toEqual({
    PATH: '/bin',
    HOME: '/home/me',
    LC_ALL: 'C',
    TZ: 'CET',
    WANTED: 'w',
    A: 'b',
  })
})

it('obeys npmrc of the user and variables of npm, in this order', () => {
  writeFileSync(
    join(folder, '.npmrc'),
    '; comment\nregistry = http://file.example/\n@acme:registry=http://acme.example/\n//acme.example/:_authToken=${TOKEN}\nstrict-ssl=false\nfund=false\n',
  )
  expect(
    readNpmConfig({ HOME: folder, TOKEN: 'abc', npm_config_registry: 'http://env.example/', npm_config_cache: '/cache' }),
  ).toMatchObject({
    registry: 'http://env.example/',
    '@acme:registry': 'http://acme.example/',
    '//acme.example/:_authToken': 'abc',
    strictSSL: false,
    cache: '/cache/_cacache',
  })
})
