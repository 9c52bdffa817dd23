import { productTimers } from '../scenarios/fleet.ts'
import { showIdTokens } from '../scenarios/id-tokens.ts'
import { offerBytes, revokeTokens } from '../scenarios/revocations.ts'
import { command, count, together, type Row } from './row.ts'

export const row: Row = {
  asked:
    '200 revocations: a revoked token stops working at a connected gateway ≤ 1 s p99, also while a slow config is being applied there and after that gateway rolled back; a gateway cut off from the centre keeps honouring the others. 10,000 tokens in one workspace: the delta of one revocation ≤ 1 KiB',
  command: command(22),
  async run(counts) {
    const revocations = count(counts, 200, 10)
    const others = count(counts, 200, 10)
    const { latencies, isStillApplied, cutOff, restarted } = await revokeTokens({
      revocations,
      others,
      startTimeout: count(counts, 120, 20) + 's',
      env: productTimers,
    })
    const shown = await showIdTokens({ takings: count(counts, 100, 10) })
    const phases: [string, number[]][] = [...latencies, ['rights of people with an id_token', shown.latencies]]
    const times = phases.map(([phase, ms]) => {
      const sorted = ms.toSorted((one, other) => one - other)
      const at = (part: number) => Math.ceil(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!)
      return { measured: `${ms.length} ${phase}: median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`, ok: at(0.99) <= 1000 }
    })
    const { delta, whole } = offerBytes(10_000)
    const asked = 3 * revocations
    const cut = [cutOff, restarted].map(({ honoured, refused }, index) => ({
      measured: `${index === 0 ? 'cut off' : 'started again without the centre'}: ${honoured} of ${others} honoured, ${refused} of ${asked} refused`,
      ok: honoured === others && refused === asked,
    }))
    return together(
      ...times,
      { measured: isStillApplied ? 'the slow config was being applied throughout' : 'the slow config ended too early', ok: isStillApplied },
      ...cut,
      { measured: `10,000 tokens: ${delta} bytes for one revocation (${Math.ceil(whole / 1024)} KiB for everything)`, ok: delta <= 1024 },
    )
  },
}
