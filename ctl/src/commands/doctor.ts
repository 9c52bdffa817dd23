import { controlPlaneConnection } from '../api/client.ts'
import type { Context } from '../context.ts'
import { fail, type Check } from '../doctor/check.ts'
import { checkBrowser, checkClock, checkNode, checkPort } from '../doctor/machine.ts'
import { checkState } from '../doctor/state.ts'
import { checkSupervision } from '../doctor/supervision.ts'
import type { DatabaseOptions } from '../local/database.ts'
import { findControlPlane, listGateways } from '../local/run-files.ts'
import { table } from '../output/table.ts'

export type DoctorOptions = DatabaseOptions & { bindHttp: string; bindGrpc: string; bind: string }

/** Exit code 1 when something fails. */
export async function run(context: Context, _args: string[], { bindHttp, bindGrpc, bind, ...database }: DoctorOptions): Promise<number> {
  const { settings, env, print } = context
  const controlPlane = await findControlPlane(settings.stateDir)
  const controlPlaneAt = await controlPlaneConnection(settings)
  const gateways = await listGateways(settings.stateDir)
  const own = new Set([...(controlPlane ? [controlPlane.pid] : []), ...gateways.map(({ pid }) => pid)])
  const checks: Check[] = [
    checkNode(),
    ...(await tried('state dir', () => checkState(context, controlPlane, database))),
    await checkPort('port REST', '--bind-http', bindHttp, own, false),
    await checkPort('port gRPC', '--bind-grpc', bindGrpc, own, false),
    await checkPort('port MCP', '--bind', bind, own, true),
    checkBrowser(env),
    await checkClock(new URL(controlPlaneAt.url).origin),
    ...(await tried('supervision', () => checkSupervision())),
  ]
  const hasFailed = checks.some(({ level }) => level === 'fail')
  if (settings.output === 'json') print(JSON.stringify({ ok: !hasFailed, checks }, null, 2))
  else if (settings.output === 'yaml') print((await import('../manifest/print-form.ts')).toYaml({ ok: !hasFailed, checks }).trimEnd())
  else
    table(
      ['check', 'result', 'detail', 'remedy'],
      checks.map(({ name, level, detail, remedy }) => [name, level, detail, remedy ?? '']),
    ).forEach((line) => print(line))
  return hasFailed ? 1 : 0
}

/** A check that breaks is a finding, and does not hide the others. */
async function tried(name: string, look: () => Promise<Check[]>): Promise<Check[]> {
  return look().catch((error: unknown) => [
    fail(name, `cannot be looked at: ${(error as Error).message}`, 'run doctor as the user who runs mcpg'),
  ])
}
