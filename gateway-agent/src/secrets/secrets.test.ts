import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigServer, type ConfigServerInput } from '@mcpg/proto/gateway-config'
import { McpgError } from '@mcpg/proto/errors'
import { newSealingKey, secretsOver, secretSource } from '../../test/secret-source.ts'
import { configSigner } from '../../test/signed-config.ts'
import { openSlots } from '../config/slots.ts'
import { isRefusal, verifyDocument, verifyHeader, type VerifiedConfig } from '../config/verify.ts'
import { hidingOf } from './hiding.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcpg-secrets-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const ref = (name: string, version = 1) => ({ secretRef: { name: 'db', key: name, version } })
const server = (name: string, env: ConfigServerInput['env']): ConfigServerInput => ({ name, command: ['run'], env })
const never = new AbortController().signal

/** What a machine would hand over for these servers. */
function configOf(generation: number, ...servers: ConfigServerInput[]): VerifiedConfig {
  const signer = configSigner()
  const { signedHeader, signature, signingKeyId, configBytes: bytes } = signer.offer({ generation, servers })
  const header = verifyHeader({ signedHeader, signature, signingKeyId }, signer.gateway)
  if (isRefusal(header)) throw new Error(header.message)
  const verified = verifyDocument(bytes, header)
  if (isRefusal(verified)) throw new Error(verified.message)
  return { signedHeader, signature, signingKeyId, bytes, header, ...verified }
}

/** A gateway as a process finds its folder; another call is the next life. */
function life(sealingKey: string) {
  const { secrets, delivery } = secretsOver(openSlots(folder), { sealingKey })
  const source = secretSource({ sealingKey })
  const waits: string[] = []
  const stage = async (config: VerifiedConfig, signal = never) => await secrets.stage(config, signal, (message) => waits.push(message))
  const open = async (input: ConfigServerInput) => Object.fromEntries(await secrets.open(ConfigServer.parse(input), never))
  return { secrets, delivery, source, waits, stage, open, connect: () => delivery.attach(source.fetch) }
}

describe('secrets of a gateway', () => {
  it('are fetched once per version, lie beside their slot as delivered, and open without the control plane', async () => {
    const key = newSealingKey()
    const first = life(key)
    first.connect()
    first.source.values.set('db/token/1', 'planted-one').set('db/user/1', 'planted-user').set('db/token/2', 'planted-two')
    const one = configOf(1, server('a', { TOKEN: ref('token'), USER: ref('user'), PLAIN: 'x' }), server('b', { TOKEN: ref('token') }))
    const two = configOf(2, server('a', { TOKEN: ref('token', 2), USER: ref('user') }))
    await first.stage(one)
    await first.stage(two)
    expect(first.source.asked).toEqual(['db/token/1', 'db/user/1', 'db/token/2'])
    for (const name of await readdir(folder)) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
      expect(await readFile(join(folder, name), 'utf8')).not.toContain('planted')
    }
    // Each slot brings the versions that it names, whatever the newest is.
    const second = life(key)
    await second.secrets.load(one)
    expect(await second.open(server('a', { TOKEN: ref('token'), USER: ref('user') }))).toEqual({
      'db/token/1': 'planted-one',
      'db/user/1': 'planted-user',
    })
    await expect(second.open(server('a', { TOKEN: ref('token', 2) }))).rejects.toMatchObject({
      reason: 'SecretUnavailable',
      message: 'secret db key token version 2: the control plane is not connected',
    })
  })

  it('wait while the control plane cannot answer, and go on with the next stream', async () => {
    const gateway = life(newSealingKey())
    gateway.source.values.set('db/token/1', 'planted-one')
    const config = configOf(1, server('a', { TOKEN: ref('token') }))
    let isDown = true
    gateway.delivery.attach((...args) =>
      isDown ? Promise.reject(new McpgError('unavailable', 'storage_unavailable', 'the database is away')) : gateway.source.fetch(...args),
    )
    const staged = gateway.stage(config)
    await expect.poll(() => gateway.waits.length).toBeGreaterThan(2)
    expect(gateway.waits[0]).toBe('Waiting for secret db key token version 1: the database is away.')
    isDown = false
    await staged
    expect(await gateway.open(server('a', { TOKEN: ref('token') }))).toEqual({ 'db/token/1': 'planted-one' })
  })

  it('end the wait when the config is replaced', async () => {
    const gateway = life(newSealingKey())
    const ending = new AbortController()
    const staged = gateway.stage(configOf(1, server('a', { TOKEN: ref('token') })), ending.signal)
    await expect.poll(() => gateway.waits.length).toBeGreaterThan(0)
    ending.abort('superseded')
    await staged
  })

  it('say which one is refused, and keep nobody else from starting', async () => {
    const gateway = life(newSealingKey())
    gateway.connect()
    gateway.source.values.set('db/token/1', 'planted-one')
    await gateway.stage(configOf(1, server('a', { TOKEN: ref('token') }), server('b', { OTHER: ref('other') })))
    expect(await gateway.open(server('a', { TOKEN: ref('token') }))).toEqual({ 'db/token/1': 'planted-one' })
    await expect(gateway.open(server('b', { OTHER: ref('other') }))).rejects.toMatchObject({
      reason: 'SecretUnavailable',
      message: 'secret db key other version 1: no config of this gateway references it',
    })
  })

  it('are fetched again where the file is damaged or sealed for another key', async () => {
    const key = newSealingKey()
    const first = life(key)
    first.connect()
    first.source.values.set('db/token/1', 'planted-one')
    const config = configOf(1, server('a', { TOKEN: ref('token') }))
    await first.stage(config)
    const path = join(folder, `${config.header.configHash}.secrets`)
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"db"', '"dc"'))
    const second = life(key)
    second.connect()
    second.source.values.set('db/token/1', 'planted-one')
    await second.secrets.load(config)
    expect(await second.open(server('a', { TOKEN: ref('token') }))).toEqual({ 'db/token/1': 'planted-one' })
    expect(await readFile(path, 'utf8')).not.toBe(text.replace('"db"', '"dc"'))
    const other = life(newSealingKey())
    await other.secrets.load(config)
    await expect(other.open(server('a', { TOKEN: ref('token') }))).rejects.toMatchObject({
      message: 'secret db key token version 1: what is stored of it does not open',
    })
  })
})

describe('hiding', () => {
  it('takes values out of a text in every spelling, and leaves short ones', () => {
    const hide = hidingOf(['planted value+"x"', 'line-one-of-key\nline-two-of-key', 'short'])
    const base64 = Buffer.from('planted value+"x"').toString('base64')
    const text = `a planted value+"x" b ${encodeURIComponent('planted value+"x"')} c planted value+\\"x\\" d ${base64} e line-two-of-key f short`
    expect(hide(text)).toBe('a [secret] b [secret] c [secret] d [secret] e [secret] f short')
  })
})
