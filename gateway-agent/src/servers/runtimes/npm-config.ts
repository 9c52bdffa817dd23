import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Settings of npm that decide where packages come from, as the options its libraries take. */
const plain: Record<string, string> = {
  registry: 'registry',
  cache: 'cache',
  ca: 'ca',
  cafile: 'cafile',
  proxy: 'proxy',
  'https-proxy': 'httpsProxy',
  noproxy: 'noProxy',
  'strict-ssl': 'strictSSL',
  before: 'before',
}

/**
 * Reads what npm itself would obey: the machine's and the user's npmrc, then `npm_config_*`. Registries of scopes and credentials of
 * hosts (`//host/:_authToken`) are passed through; anything else is npm's own business.
 */
export function readNpmConfig(env: NodeJS.ProcessEnv = process.env): Record<string, unknown> {
  const settings: Record<string, string> = {}
  const files = [
    '/usr/etc/npmrc',
    '/etc/npmrc',
    env['npm_config_globalconfig'],
    env['npm_config_userconfig'] ?? join(env['HOME'] ?? homedir(), '.npmrc'),
  ]
  for (const file of files) if (file) Object.assign(settings, readNpmrc(file, env))
  for (const [name, value] of Object.entries(env)) {
    const setting = /^npm_config_(.+)$/i.exec(name)?.[1]
    if (setting !== undefined && value !== undefined && value !== '') settings[setting.toLowerCase().replace(/(?!^)_/g, '-')] = value
  }
  return toOptions(settings)
}

function readNpmrc(file: string, env: NodeJS.ProcessEnv): Record<string, string> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return {}
  }
  const pairs = text
    .split('\n')
    .map((line) => /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line))
    .flatMap((match) => (match ? [[match[1] ?? '', unquote(match[2] ?? '')] as const] : []))
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, value.replace(/\$\{([^}]+)\}/g, (all, variable: string) => env[variable] ?? all)]),
  )
}

const unquote = (value: string) => (/^(["']).*\1$/.test(value) ? value.slice(1, -1) : value)

function toOptions(settings: Record<string, string>): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(settings)) {
    const known = plain[name]
    if (known !== undefined) options[known] = value
    else if (name.startsWith('//') || /^@[^/]+:registry$/.test(name)) options[name] = value
  }
  if (options['strictSSL'] !== undefined) options['strictSSL'] = options['strictSSL'] !== 'false'
  if (typeof options['cafile'] === 'string') options['ca'] ??= readCertificates(options['cafile'])
  delete options['cafile']
  // npm keeps the content below the folder that is configured.
  if (typeof options['cache'] === 'string') options['cache'] = join(options['cache'], '_cacache')
  return options
}

function readCertificates(file: string): string[] | undefined {
  try {
    return readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? undefined
  } catch {
    return undefined
  }
}
