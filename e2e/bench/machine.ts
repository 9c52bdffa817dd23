import { arch, cpus, loadavg, release, totalmem, type } from 'node:os'
import { version } from '@mcpg/proto/version'

/** What a figure means nothing without. */
export function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Number((totalmem() / 2 ** 30).toFixed(1)),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    mcpg: version,
    // What else the machine did: figures taken at a load above its cores are about that and not about us.
    loadAverage: loadavg().map((value) => Number(value.toFixed(2))),
  }
}
