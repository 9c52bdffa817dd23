import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { binaries } from './binaries.ts'
import type { Node } from './node.ts'

const root = join(import.meta.dirname, '../..')
export const testImage = 'localhost/mcpg-gateway:test'

/** The images of the stories, without any registry: a Node base of this machine's files, our Dockerfile on it, and fixture servers on that. */
export function buildImages(folder: string, { docker }: Node): void {
  build('pause', 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n', (context) =>
    cpSync(join(binaries, 'pause'), join(context, 'pause')),
  )
  build('base', 'FROM scratch\nCOPY rootfs/ /\nENV PATH=/usr/bin:/bin\n', (context) => nodeRoot(join(context, 'rootfs')))
  const image = join(folder, 'image')
  execFileSync(process.execPath, [join(root, 'scripts/image.mjs'), image], { stdio: ['ignore', 'ignore', 'pipe'] })
  const file = join(root, 'deploy/docker/Dockerfile')
  for (const target of ['control-plane', 'gateway'])
    docker([
      'build',
      '-q',
      '-f',
      file,
      '--build-arg',
      'BASE=localhost/base:1',
      '--target',
      target,
      '-t',
      `localhost/mcpg-${target}:1`,
      image,
    ])
  build(
    'mcpg-gateway',
    'FROM localhost/mcpg-gateway:1\nCOPY servers/ /servers/\n',
    (context) => cpSync(join(root, 'e2e/fixtures/servers'), join(context, 'servers'), { recursive: true }),
    'test',
  )
  // They run, and end when they are told to: one never listens, one is given an address that nobody listens on.
  const deaf = 'trap exit TERM; echo listening to nothing; while :; do sleep 1; done'
  const misled = [
    'busybox sed "s|:[0-9]*/enroll/|:9/enroll/|" "$MCPG_ENROLLMENT_URL_FILE" >/tmp/url',
    'MCPG_ENROLLMENT_URL_FILE=/tmp/url exec node /app/ctl/dist/mcpg-ctl.js "$@"',
  ].join('\n')
  for (const [tag, script] of Object.entries({ deaf, misled }))
    build('mcpg-gateway', `FROM ${testImage}\nENTRYPOINT ${JSON.stringify(['sh', '-c', script, 'sh'])}\n`, () => {}, tag)

  function build(name: string, dockerfile: string, fill: (context: string) => void, tag = '1'): void {
    const context = join(folder, `context-${name}-${tag}`)
    mkdirSync(context)
    writeFileSync(join(context, 'Dockerfile'), dockerfile)
    fill(context)
    docker(['build', '-q', '-t', `localhost/${name}:${tag}`, context])
  }
}

/** What a Node needs to run, and a shell. */
function nodeRoot(rootfs: string): void {
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).match(/\/[^\s)]+/g) ?? []
  for (const path of new Set(libraries)) copy(path, path)
  copy(process.execPath, '/usr/bin/node')
  copy('/bin/busybox', '/bin/busybox')
  for (const name of ['sh', 'ls', 'cat', 'sleep', 'env', 'id', 'ps', 'kill', 'mkdir', 'rm'])
    symlinkSync('busybox', join(rootfs, 'bin', name))
  copy('/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/certs/ca-certificates.crt')
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\nmcpg:x:1000:1000::/tmp:/bin/sh\n')
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nmcpg:x:1000:\n')
  mkdirSync(join(rootfs, 'tmp'))
  chmodSync(join(rootfs, 'tmp'), 0o1777)

  function copy(from: string, to: string): void {
    mkdirSync(dirname(join(rootfs, to)), { recursive: true })
    copyFileSync(from, join(rootfs, to))
  }
}
