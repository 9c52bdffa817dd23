import { create } from '@bufbuild/protobuf'
import type { Log } from '@mcpg/core/log'
import { McpgError } from '@mcpg/proto/errors'
import { secretsOf, type GatewayConfigInput, type SecretReference } from '@mcpg/proto/gateway-config'
import {
  FetchSecretsResponseSchema,
  SecretFailure,
  type FetchSecretsRequest,
  type FetchSecretsResponse,
  type SecretRef,
} from '@mcpg/proto/gen/delivery'
import { maxSecretsPerRequest } from '@mcpg/proto/secret-sealing'
import { gatewayCaller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Registry } from '../gateways/registry.ts'
import type { GatewayIdentity } from '../grpc/stream.ts'
import type { secretSealer } from './sealing.ts'
import type { SecretStore } from './store.ts'
import type { ValueBox } from './value-box.ts'

/** Names in one row of the audit trail; a gateway that asks for what is not its own may ask for anything. */
const maxNamed = 20

type Config = { bytes: Uint8Array }

/**
 * Answers gateways with the values that their configs name, sealed to them. Everything else is forbidden whether it exists or not, and
 * that somebody asked is written down; so is every delivery, before it leaves.
 */
export function secretDelivery({
  registry,
  documentsOf,
  store,
  box,
  seal,
  audit,
  log,
}: {
  registry: Pick<Registry, 'get'>
  /** The configs that a gateway may need values for. */
  documentsOf: (gatewayId: string, generation: number) => Promise<Config[]>
  store: Pick<SecretStore, 'values'>
  box: Pick<ValueBox, 'open'>
  seal: ReturnType<typeof secretSealer>
  audit: Pick<Audit, 'row' | 'append'>
  log: Log
}) {
  const named = new WeakMap<Config, ReadonlySet<string>>()
  const auditRow = batched(audit.append)
  return fetchSecrets

  async function fetchSecrets(
    { generation, refs }: FetchSecretsRequest,
    { identity, source }: { identity: GatewayIdentity; source: string },
  ): Promise<FetchSecretsResponse> {
    const gateway = registry.get(identity.gatewayId)
    if (!gateway || identity.standing !== 'active')
      throw new McpgError('unauthenticated', 'credential_void', 'The credential of this gateway is void.')
    if (refs.length > maxSecretsPerRequest)
      throw new McpgError('invalid', 'too_many_secrets', `At most ${maxSecretsPerRequest} secrets can be asked for at once.`)
    const scope = `${gateway.org}/${gateway.workspace}`
    const configs = await documentsOf(gateway.id, Number(generation))
    const allowed = new Set(configs.flatMap((config) => [...namesIn(config)]))
    const wanted = refs.map(({ name, key, version }) => ({ name, key, version: Number(version) }))
    const granted = wanted.filter((reference) => allowed.has(idOf(reference)))
    const refused = wanted.filter((reference) => !allowed.has(idOf(reference)))
    const stored = new Map((await store.values(scope, granted)).map((value) => [idOf(value), value]))
    const record = (action: string, references: SecretReference[]) =>
      audit.row(gatewayCaller(gateway.id, source), action, {
        org: gateway.org,
        workspace: gateway.workspace,
        kind: 'Gateway',
        name: gateway.name,
        uid: gateway.id,
        detail: { generation: Number(generation), count: references.length, secrets: references.slice(0, maxNamed).map(shortText) },
      })
    if (refused.length > 0)
      log.warn({ gateway: gateway.name, secrets: refused.slice(0, maxNamed).map(shortText) }, 'a gateway asked for secrets it does not use')
    await Promise.all([
      refused.length > 0 && auditRow(record('secret.fetch_refused', refused)),
      granted.length > 0 && auditRow(record('secret.fetch', granted)),
    ])
    const values = await Promise.all(
      wanted.map(async (reference, index) => {
        const ref = refs[index] as SecretRef
        if (!allowed.has(idOf(reference))) return { ref, failure: SecretFailure.FORBIDDEN }
        const value = stored.get(idOf(reference))
        if (!value) return { ref, failure: SecretFailure.NOT_FOUND }
        return { ref, ...(await seal(gateway, reference, box.open(value))) }
      }),
    )
    return create(FetchSecretsResponseSchema, { values })
  }

  /** Read once per document, which many gateways share. */
  function namesIn(config: Config): ReadonlySet<string> {
    let names = named.get(config)
    if (!names) named.set(config, (names = readNames(config.bytes)))
    return names
  }
}

function readNames(bytes: Uint8Array): ReadonlySet<string> {
  const text = Buffer.from(bytes)
  if (!text.includes('"secretRef"')) return new Set()
  const { servers } = JSON.parse(text.toString()) as GatewayConfigInput
  return new Set(servers.flatMap(secretsOf).map(idOf))
}

/** Rows that come together are written together, so that a rotation costs the one writer a few transactions and not one per gateway. */
function batched<Row>(append: (rows: Row[]) => Promise<void>): (row: Row) => Promise<void> {
  let waiting: { rows: Row[]; written: Promise<void> } | undefined
  return (row) => {
    if (!waiting) {
      const rows: Row[] = []
      const written = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        waiting = undefined
        return append(rows)
      })
      waiting = { rows, written }
    }
    waiting.rows.push(row)
    return waiting.written
  }
}

const idOf = ({ name, key, version }: SecretReference) => `${name}/${key}/${version}`
const shortText = (reference: SecretReference) => idOf(reference).slice(0, 120)
