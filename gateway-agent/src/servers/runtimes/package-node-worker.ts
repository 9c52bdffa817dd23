// Installs one package, in a thread of its own: resolving a tree is seconds of computing, and the agent serves calls meanwhile.
import { parentPort, workerData } from 'node:worker_threads'
import Arborist from '@npmcli/arborist'
import { readNpmConfig } from './npm-config.ts'

export type InstallOrder = { spec: string; name: string; folder: string; cache: string; allowScripts: boolean }
export type InstallReply = { ok: true; version: string; integrity: string | undefined } | { ok: false; code: string; message: string }

parentPort?.postMessage(await install(workerData as InstallOrder))

async function install({ spec, name, folder, cache, allowScripts }: InstallOrder): Promise<InstallReply> {
  try {
    const arborist = new Arborist({
      cache,
      // The library's own patience with a dead registry is above a minute.
      fetchRetries: 2,
      fetchRetryMintimeout: 500,
      fetchRetryMaxtimeout: 2_000,
      ...readNpmConfig(),
      path: folder,
      audit: false,
      fund: false,
      ignoreScripts: !allowScripts,
      dangerouslyAllowAllScripts: allowScripts,
      saveExact: true,
    })
    const tree = await arborist.reify({ add: [spec], save: true, saveType: 'prod' })
    const installed = tree.children.get(name)
    if (!installed) return { ok: false, code: 'EMISSING', message: `${spec} has installed nothing called ${name}` }
    return { ok: true, version: installed.version, integrity: installed.integrity ?? undefined }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { ok: false, code: code ?? 'EUNKNOWN', message: message.split('\n')[0] ?? '' }
  }
}
