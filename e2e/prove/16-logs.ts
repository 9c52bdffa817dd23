import { spread } from '../bench/percentile.ts'
import { closeAll } from '../harness/cleanup.ts'
import { floodedLog, type Flooded, type Memory } from '../scenarios/flooded-log.ts'
import { command, count, together, type Row } from './row.ts'

/** What counts as flat: garbage that waits for its collection, far below what an unbounded queue would hold after a second. */
const flatMebibytes = 48

const megabytes = 50
/** The server's own start and end of a flood take some of its time. */
const leastMegabytes = 0.98 * megabytes

export const row: Row = {
  asked: '`logs -f` of a server writing 50 MB/s: heartbeat acks keep p99 < 100 ms, agent and control-plane memory flat, drops counted',
  command: command(16),
  async run(counts) {
    const rounds: Flooded[] = []
    for (let round = 0; round < count(counts, 3, 1); round++) {
      rounds.push(await floodedLog({ megabytes, seconds: count(counts, 20, 5) }))
      await closeAll()
      counts.say(`round ${round + 1}: ${JSON.stringify(rounds.at(-1))}`)
    }
    const quick = rounds.map(({ acks }) => (100 * acks.quick) / acks.count)
    const failed = rounds.flatMap(({ calls }) => calls.failures)
    return together(
      {
        measured: `${text(
          rounds.map((one) => one.megabytesPerSecond),
          'MB/s written',
        )}, ${rounds.map((one) => one.written.toLocaleString('en-US')).join(' / ')} lines, each printed or counted as dropped`,
        ok: rounds.every(
          ({ megabytesPerSecond, written, received, dropped }) =>
            megabytesPerSecond >= leastMegabytes && received + dropped === written && dropped > 0,
        ),
      },
      {
        measured: `${text(quick, '% of heartbeats')} answered within 100 ms, of ${rounds.map(({ acks }) => acks.count).join(' / ')}`,
        ok: quick.every((share) => share >= 99),
      },
      flat(
        'agent',
        rounds.map(({ memory }) => memory.agent),
      ),
      flat(
        'control plane',
        rounds.map(({ memory }) => memory.controlPlane),
      ),
      {
        measured: `${rounds.reduce((sum, { calls }) => sum + calls.calls, 0)} calls of another server meanwhile, ${failed.length} failed`,
        ok: failed.length === 0,
      },
    )
  },
}

function flat(who: string, memory: Memory[]) {
  return {
    measured: `${who} ${memory.map(({ first, last, min, max }) => `${first} → ${last} MiB (${min}–${max})`).join(' / ')}`,
    ok: memory.every(({ first, last }) => last - first < flatMebibytes),
  }
}

function text(rounds: number[], unit: string): string {
  const { median, min, max } = spread(rounds, 1)
  return `${median} ${unit} (${min}–${max})`
}
