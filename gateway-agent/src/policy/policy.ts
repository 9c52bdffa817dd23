import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { McpgError } from '@mcpg/proto/errors'
import type { ConfigServer } from '@mcpg/proto/gateway-config'
import { globMatcher } from './glob.ts'

const globs = z.array(z.string().min(1)).optional()

/**
 * `policy.yaml`: the word of the host's owner, which the control plane can neither read nor write. A list that is absent allows
 * everything, an empty one nothing. In a glob `*` stands for anything but `/`, `**` for anything.
 */
export const PolicyFile = z.strictObject({
  /** `process`, `node`, `python`, `remote`. */
  runtimes: globs,
  /** The program of a command, as it is written. */
  commands: globs,
  /** Name of a package, or `name@version`. */
  packages: globs,
  /** Absolute paths in `cwd` and among the arguments. */
  paths: globs,
  /** Scheme, host and path of a remote server, without its query. */
  urls: globs,
  /** MCP requests that arrive over the control plane's stream. */
  allowRemoteCalls: z.boolean().default(true),
  allowInstallScripts: z.boolean().default(false),
})
export type PolicyFile = z.infer<typeof PolicyFile>

export type Violation = { server: string; rule: string; message: string }
export type Policy = { rules: PolicyFile; check(server: ConfigServer): Violation | null }

export const policyFile = (gatewayFolder: string): string => join(gatewayFolder, 'policy.yaml')

/** Throws McpgError `invalid`/`invalid_policy`; an absent file allows everything but install scripts. */
export async function loadPolicy(path: string): Promise<Policy> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return policyOf(PolicyFile.parse({}))
    throw invalid(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`)
  }
  let value: unknown
  try {
    value = parse(text, { uniqueKeys: true }) ?? {}
  } catch (error) {
    throw invalid(path, `is not YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`)
  }
  const rules = PolicyFile.safeParse(value)
  if (!rules.success)
    throw invalid(path, rules.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '))
  return policyOf(rules.data)
}

export function policyOf(rules: PolicyFile): Policy {
  return { rules, check: (server) => violationOf(rules, server) }
}

function violationOf(rules: PolicyFile, server: ConfigServer): Violation | null {
  const { command, package: source, url } = server
  const refuse = (rule: string, what: string): Violation => ({
    server: server.name,
    rule,
    message: `server ${server.name}: ${what} is not allowed by "${rule}" in policy.yaml of this host`,
  })
  const runtime = command ? 'process' : (source?.runtime ?? 'remote')
  if (!allows(rules.runtimes, [runtime])) return refuse('runtimes', `the runtime ${runtime}`)
  if (command && !allows(rules.commands, [command[0] ?? ''])) return refuse('commands', `the command ${command[0] ?? ''}`)
  if (source && !allows(rules.packages, [source.name, `${source.name}@${source.version ?? ''}`]))
    return refuse('packages', `the package ${source.name}`)
  if (source?.allowScripts && !rules.allowInstallScripts) return refuse('allowInstallScripts', `running install scripts of ${source.name}`)
  if (url && !allows(rules.urls, [addressOf(url.url)])) return refuse('urls', `the URL ${addressOf(url.url)}`)
  const path = rules.paths && pathsOf(server).find((one) => !allows(rules.paths, [one]))
  return path === undefined ? null : refuse('paths', `the path ${path}`)
}

const allows = (globs: string[] | undefined, texts: string[]) => globs === undefined || globs.some((glob) => texts.some(globMatcher(glob)))

/** Every path the server was given in words; a rule against them is no sandbox. */
function pathsOf({ command, package: source, cwd }: ConfigServer): string[] {
  const base = cwd === undefined ? '/' : resolve(expandHome(cwd))
  const words = [...(command?.slice(1) ?? []), ...(source?.args ?? [])].flatMap((word) => [word, word.slice(word.indexOf('=') + 1)])
  const paths = words.flatMap((word) => pathOf(word, base))
  return [...(cwd === undefined ? [] : [base]), ...new Set(paths)]
}

function pathOf(word: string, base: string): string[] {
  if (word.startsWith('file://')) {
    try {
      return [fileURLToPath(word)]
    } catch {
      return [word]
    }
  }
  const path = expandHome(word)
  // A relative path that climbs is resolved from the working folder, so that `../..` is no way around a rule.
  return isAbsolute(path) || path.split(/[\\/]/).includes('..') ? [resolve(base, path)] : []
}

const expandHome = (path: string) => (path === '~' || path.startsWith('~/') ? homedir() + path.slice(1) : path)

/** Without user, query and fragment, none of which a rule for addresses may be fooled by. */
function addressOf(text: string): string {
  try {
    const url = new URL(text)
    return `${url.origin}${url.pathname}`
  } catch {
    return text
  }
}

function invalid(path: string, what: string): McpgError {
  return new McpgError('invalid', 'invalid_policy', `${path} ${what}`, {
    hint: 'known fields are runtimes, commands, packages, paths, urls (lists of globs), allowRemoteCalls and allowInstallScripts',
  })
}
