import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** A version: its package.json beside name and version, and more files. */
export type Published = { manifest?: Record<string, unknown>; files?: Record<string, string> }

/** A package registry with knobs: what is published can change, downloads are counted. */
export async function startRegistry(packages: Record<string, Record<string, Published>>) {
  const downloads: string[] = []
  const http = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1)
    const [name = '', file] = path.split('/-/')
    const versions = packages[name]
    if (!versions) return response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Not found"}')
    if (file === undefined)
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(packument(name, versions)))
    downloads.push(file)
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball(name, file.replace(/\.tgz$/, ''), versions))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`
  return { url, downloads, packages, close }

  function packument(name: string, versions: Record<string, Published>) {
    const entries = Object.keys(versions).map((version) => {
      const integrity = `sha512-${createHash('sha512')
        .update(tarball(name, version, versions))
        .digest('base64')}`
      return [version, { ...manifestOf(name, version, versions), dist: { tarball: `${url}${name}/-/${version}.tgz`, integrity } }]
    })
    return { name, versions: Object.fromEntries(entries) as object, 'dist-tags': { latest: Object.keys(versions).at(-1) } }
  }

  function close(): Promise<void> {
    return new Promise((resolve) => {
      http.close(() => resolve())
      http.closeAllConnections()
    })
  }
}

function manifestOf(name: string, version: string, versions: Record<string, Published>) {
  return { name, version, ...versions[version]?.manifest }
}

function tarball(name: string, version: string, versions: Record<string, Published>): Buffer {
  const files = { 'package.json': JSON.stringify(manifestOf(name, version, versions)), ...versions[version]?.files }
  return gzipSync(Buffer.concat([...Object.entries(files).map(([path, text]) => entry(`package/${path}`, text)), Buffer.alloc(1024)]))
}

/** One file in the format of ustar. */
function entry(path: string, text: string): Buffer {
  const header = Buffer.alloc(512)
  const size = Buffer.byteLength(text)
  header.write(path, 0)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  // Mode, owner, group, size, time, a checksum of blanks while it is summed up, and the type of a plain file.
  header.write([octal(0o644, 7), octal(0, 7), octal(0, 7), octal(size, 11), octal(0, 11), ' '.repeat(8), '0'].join(''), 100)
  header.write('ustar\0', 257)
  header.write('00', 263)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, Buffer.from(text), Buffer.alloc((512 - (size % 512)) % 512)])
}
