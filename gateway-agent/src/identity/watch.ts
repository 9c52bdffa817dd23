import { watch, type FSWatcher } from 'node:fs'
import { basename } from 'node:path'
import type { Part } from '@mcpg/core/lifecycle'
import { identityFile } from './identity-file.ts'

/** Calls back when the identity file of a folder changes, e.g. was restored from a backup; a refused credential is then tried at once. */
export function watchIdentity(folder: string, onChange: () => void): Part {
  let watcher: FSWatcher | undefined
  return {
    name: 'identity watch',
    async start() {
      watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name === basename(identityFile(folder))) onChange()
      })
      // Without it the file is still read before every attempt.
      watcher.on('error', () => watcher?.close())
    },
    async stop() {
      watcher?.close()
    },
  }
}
