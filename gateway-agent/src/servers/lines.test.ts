import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cutLines, maxLine } from './lines.ts'
import { instanceLines, serverLog } from './logs.ts'
import { childEnvironment } from './runtimes/environment.ts'
import { readNpmConfig } from './runtimes/npm-config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpg-lines-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const log = createLog({ level: 'silent', json: true })

describe('lines of a server', () => {
  it.each([
    ['cut anywhere', ['he', 'llo\nwor', 'ld\n'], ['hello', 'world']],
    ['with carriage returns and empty ones', ['a\r\n\r\n\nb\n'], ['a', 'b']],
    ['without an end', ['tail'], ['tail']],
  ])('%s', (_, chunks, expected) => {
    const lines: string[] = []
    const { push, end } = cutLines((line) => lines.push(line))
    chunks.forEach(push)
    end()
    expect(lines).toEqual(expected)
  })

  it('longer than 16 KiB are cut once and the next one is whole', () => {
    const lines: string[] = []
    const { push } = cutLines((line) => lines.push(line))
    for (let piece = 0; piece < 40; piece++) push('x'.repeat(1_000))
    push('\nnext\n')
    expect(lines.map(({ length }) => length <= maxLine)).toEqual([true, true])
    expect(lines[0]).toMatch(/… \(cut\)$/)
    expect(lines[1]).toBe('next')
  })

  it('are kept in three files of limited size, newest first, readable by the owner only', async () => {
    const sink = serverLog({ folder: join(folder, 'logs'), clock: systemClock, log, fileBytes: 1_000 })
    for (let line = 0; line < 100; line++) {
      sink.write('one-1', 'stderr', `line ${line} ${'x'.repeat(50)}`)
      await sink.flushed()
    }
    expect(readdirSync(join(folder, 'logs')).sort()).toEqual(['0.log', '1.log', '2.log'])
    for (const name of ['0.log', '1.log', '2.log']) expect(statSync(join(folder, 'logs', name)).size).toBeLessThanOrEqual(1_000)
    expect(readFileSync(join(folder, 'logs/0.log'), 'utf8')).toMatch(/^\d{4}-.*Z one-1 stderr line \d+ x+\n/)
    expect(readFileSync(join(folder, 'logs/0.log'), 'utf8')).toContain('line 99')
    expect(statSync(join(folder, 'logs/0.log')).mode & 0o777).toBe(0o600)
  })

  it('do not stop anything when the disk refuses them', async () => {
    writeFileSync(join(folder, 'file'), '')
    const sink = serverLog({ folder: join(folder, 'file'), clock: systemClock, log })
    const lines = instanceLines({ instanceId: 'one-1', sink })
    lines.add('stderr', 'still remembered')
    await sink.flushed()
    expect(lines.last()).toEqual(['still remembered'])
  })

  it('are reported as the last 20 within 4 KiB', () => {
    const lines = instanceLines({ instanceId: 'one-1', sink: serverLog({ folder: join(folder, 'logs'), clock: systemClock, log }) })
    for (let line = 0; line < 200; line++) lines.add('stderr', `line ${line}`)
    expect(lines.last()).toHaveLength(20)
    expect(lines.last().at(-1)).toBe('line 199')
    for (let line = 0; line < 20; line++) lines.add('stderr', 'y'.repeat(10_000))
    expect(Buffer.byteLength(lines.last().join(''))).toBeLessThanOrEqual(4 * 1024)
    expect(lines.last().length).toBeGreaterThan(0)
  })
})

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
