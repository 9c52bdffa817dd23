import { closeAll } from '../harness/cleanup.ts'
import { whyNoShiftedClock } from '../harness/clock.ts'
import { whyNoMachines } from '../harness/machines.ts'
import { ctl, startGateway } from '../harness/programs.ts'
import { backAfter, callFromThere, callsDuringRenewals, controlPlaneAndMachine, withClock } from '../scenarios/two-machines.ts'
import { command, count, together, type Counts, type Outcome, type Row } from './row.ts'

export const row: Row = {
  asked:
    'Two network namespaces, TLS with the pin: enrolls, serves. A wrong pin, a lost pin and plain text are refused before the token is sent. Certificates renewed under calls: 0 lost. Expired offline 3 days: recovered; 45 days: refused with what to do, serving goes on. Wrong clocks named',
  command: command(12),
  async run(counts) {
    const why = whyNoMachines() ?? whyNoShiftedClock()
    if (why) return { measured: `not measured: ${why}`, ok: false }
    const parts: Outcome[] = []
    for (const part of [enrolled, refused, renewed, recovered, tooLate, clocks]) {
      parts.push(await part(counts))
      counts.say(parts.at(-1)?.measured ?? '')
      await closeAll()
    }
    return together(...parts)
  },
}

async function enrolled(counts: Counts): Promise<Outcome> {
  const { edge, enroll, connected, serve, folder } = await controlPlaneAndMachine()
  await serve()
  const times: number[] = []
  const rounds = count(counts, 20, 3)
  for (let n = 0; n < rounds; n++) {
    const place = { ...edge, stateDir: `${folder}/gateway-${n}` }
    const url = await enroll(`edge-${n}`)
    const started = performance.now()
    const gateway = await startGateway({ ...place, url })
    await connected(`edge-${n}`)
    times.push(performance.now() - started)
    if ((await callFromThere(place, `hello ${n}`)) !== `hello ${n}`) return { measured: `gateway ${n} does not serve`, ok: false }
    await gateway.stop()
  }
  times.sort((a, b) => a - b)
  return {
    measured: `${rounds} of ${rounds} gateways enrolled and serving, from start to online ${Math.round(times[times.length >> 1] ?? 0)} ms (median, asked by the CLI)`,
    ok: true,
  }
}

async function refused(counts: Counts): Promise<Outcome> {
  const { edge, enroll, requests, folder } = await controlPlaneAndMachine()
  const rounds = count(counts, 20, 2)
  let right = 0
  const heard: string[] = []
  for (let n = 0; n < rounds; n++) {
    const url = await enroll(`edge-${n}`)
    const before = requests().length
    const bare = url.replace(/#.*/, '')
    const tries: [string[], number, RegExp][] = [
      [[`${bare}#pin=sha256:${'A'.repeat(43)}`], 3, /pins the certificate authority/],
      [[bare], 2, /probably lost/],
      [[bare.replace('https:', 'http:')], 2, /unencrypted/],
    ]
    for (const [index, [args, code, said]] of tries.entries()) {
      const done = await ctl(['gateway', '--enrollment-url', ...args], { ...edge, stateDir: `${folder}/${n}-${index}` })
      if (done.code === code && said.test(done.stderr)) right++
    }
    heard.push(...requests().slice(before))
  }
  // All that may be heard is that somebody looked at the roots.
  const withToken = heard.filter((path) => path !== '/v1/ca-cert.pem').length
  return {
    measured: `wrong pin, lost pin, plain text: ${right} of ${3 * rounds} refused with their own words; the listener heard ${heard.length} requests, ${withToken} of them with a token`,
    ok: right === 3 * rounds && heard.length === rounds && withToken === 0,
  }
}

async function renewed(counts: Counts): Promise<Outcome> {
  const { calls, failures, renewals } = await callsDuringRenewals({ lifeMs: 3_000, renewals: count(counts, 30, 3) })
  return {
    measured: `${renewals} renewals under ${calls} calls, ${failures.length} lost${failures[0] ? ` (${failures[0].slice(0, 200)})` : ''}`,
    ok: failures.length === 0 && calls > renewals,
  }
}

async function recovered(counts: Counts): Promise<Outcome> {
  const rounds = count(counts, 5, 1)
  for (let n = 0; n < rounds; n++) {
    const { answer, connected, gateway } = await backAfter('3d')
    await connected('edge')
    const { recoveries } = (await gateway('edge')).status['credential'] as { recoveries?: number }
    if (answer !== 'still here' || recoveries !== 1) return { measured: `answered ${answer}, ${recoveries} recoveries`, ok: false }
    await closeAll()
  }
  return { measured: `${rounds} of ${rounds} recovered 3 days after their end, serving meanwhile`, ok: true }
}

async function tooLate(): Promise<Outcome> {
  const { answer, again } = await backAfter('45d')
  const isSaid = /recovery_window_exceeded/.test(again.output()) && /--re-enroll/.test(again.output())
  return {
    measured: `45 days: ${isSaid ? 'recovery_window_exceeded with the way out' : 'not told'}, serves: ${answer}`,
    ok: isSaid && answer === 'still here',
  }
}

async function clocks(counts: Counts): Promise<Outcome> {
  const machines = await controlPlaneAndMachine()
  const shifts = ['-30m', '-25h', '+60d', '-400d'].slice(0, count(counts, 4, 1))
  for (const shift of shifts) await withClock(machines, shift, /clocks differ: it is .* on this machine and .* at/)
  return { measured: `clocks off by ${shifts.join(', ')}: named with both times`, ok: true }
}
