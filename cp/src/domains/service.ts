import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { AddDomain, Domain } from '@mcpg/proto/rest/domains'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db, Reads } from '../db/db.ts'
import type { TxtRecords } from './txt-records.ts'

export type Domains = ReturnType<typeof domainService>

type Row = { org: string; host: string; value: string; createdAt: string; createdBy: string; verifiedAt: string | null }

/** Of the gateways that keep a domain, these are named. */
const mostNamed = 5

/** Names of DNS that gateways of an organization may have: claimed, shown to be its own by a TXT record, given up. */
export function domainService({
  db,
  audit,
  clock,
  txt,
  requireOrg,
  hostnamesIn,
}: {
  db: Pick<Db, 'read' | 'write'>
  audit: Pick<Audit, 'record'>
  clock: Clock
  txt: TxtRecords
  requireOrg: (scope: { org: string }) => Promise<void>
  /** Host names that managed gateways of an organization have, with who. */
  hostnamesIn: (org: string) => Promise<Named[]>
}) {
  return { list, get, add, verify, remove, requireCovered }

  async function list(org: string): Promise<Domain[]> {
    await requireOrg({ org })
    const [rows, names] = await Promise.all([db.read.domain.findMany({ where: { org }, orderBy: { host: 'asc' } }), hostnamesIn(org)])
    return rows.map((row) => shown(row, names))
  }

  async function get(org: string, host: string): Promise<Domain> {
    return shown(await must(org, host), await hostnamesIn(org))
  }

  /** Again it is the same one, with the same record. */
  async function add(caller: Caller, org: string, { host }: AddDomain): Promise<Domain> {
    await requireOrg({ org })
    await db.write(async (tx) => {
      if (await tx.domain.findUnique({ where: { org_host: { org, host } } })) return
      const value = `mcpg-domain-verification=${randomBytes(16).toString('hex')}`
      await tx.domain.create({ data: { org, host, value, createdAt: isoNow(), createdBy: caller.subject } })
      await audit.record(tx, caller, 'domain.add', targetOf(org, host))
    })
    return await get(org, host)
  }

  /** Looks for the TXT record now. One that was verified stays so. */
  async function verify(caller: Caller, org: string, host: string): Promise<Domain> {
    const row = await must(org, host)
    if (row.verifiedAt !== null) return await get(org, host)
    const found = await txt(recordName(host))
    if (!found.includes(row.value)) throw unverified(row, found)
    await db.write(async (tx) => {
      await tx.domain.updateMany({ where: { org, host }, data: { verifiedAt: isoNow() } })
      await audit.record(tx, caller, 'domain.verify', targetOf(org, host))
    })
    return await get(org, host)
  }

  /** Refused while a gateway has a name that no other domain covers. */
  async function remove(caller: Caller, org: string, host: string): Promise<void> {
    await must(org, host)
    const others = (await verified(org)).filter((one) => one !== host)
    const used = (await hostnamesIn(org)).filter(({ hostname }) => covers(host, hostname) && !others.some((one) => covers(one, hostname)))
    if (used.length > 0) {
      const named = used.slice(0, mostNamed).map((one) => `${one.workspace}/${one.environment}/${one.name} (${one.hostname})`)
      const more = used.length > named.length ? ', …' : ''
      throw new McpgError('conflict', 'domain_in_use', `Gateways have names of the domain ${host}: ${named.join(', ')}${more}.`, {
        hint: 'mcpg-ctl provision delete takes each of them away',
      })
    }
    await db.write(async (tx) => {
      if ((await tx.domain.deleteMany({ where: { org, host } })).count === 0) throw unknown(host)
      await audit.record(tx, caller, 'domain.delete', targetOf(org, host))
    })
  }

  /** Throws `invalid` unless a verified domain of the organization is this name or above it. */
  async function requireCovered(org: string, hostname: string): Promise<void> {
    const rows = await db.read.domain.findMany({ where: { org } })
    const above = rows.filter(({ host }) => covers(host, hostname))
    if (above.some(({ verifiedAt }) => verifiedAt !== null)) return
    const [pending] = above
    const detail = pending
      ? `the domain ${pending.host} is not verified yet`
      : `no verified domain of the organization ${org} covers ${hostname}`
    throw new McpgError('invalid', 'hostname_not_verified', `${detail[0]!.toUpperCase()}${detail.slice(1)}.`, {
      violations: [{ pointer: '/customHostname', detail }],
      hint: pending ? `mcpg-ctl domain verify ${pending.host}` : `mcpg-ctl domain add ${hostname.split('.').slice(-2).join('.')}`,
    })
  }

  async function verified(org: string): Promise<string[]> {
    return (await db.read.domain.findMany({ where: { org, verifiedAt: { not: null } } })).map(({ host }) => host)
  }

  async function must(org: string, host: string, from: Pick<Reads, 'domain'> = db.read): Promise<Row> {
    await requireOrg({ org })
    const row = await from.domain.findUnique({ where: { org_host: { org, host } } })
    if (row) return row
    throw unknown(host)
  }

  function isoNow(): string {
    return new Date(clock.now()).toISOString()
  }
}

const recordName = (host: string): string => `_mcpg-challenge.${host}`
const covers = (host: string, name: string): boolean => name === host || name.endsWith(`.${host}`)
const targetOf = (org: string, host: string) => ({ org, kind: 'Domain', name: host })

const unknown = (host: string) =>
  new McpgError('not_found', 'domain_unknown', `There is no domain ${host}.`, { hint: 'mcpg-ctl domain list' })

function unverified({ host, value }: Row, found: string[]): McpgError {
  const name = recordName(host)
  const wanted = JSON.stringify(value)
  const what =
    found.length === 0
      ? `there is no TXT record; it should be ${wanted}`
      : `the TXT record is ${found.map((one) => JSON.stringify(one)).join(', ')}, not ${wanted}`
  return new McpgError('failed_precondition', 'domain_not_verified', `At ${name} ${what}.`, {
    hint: `make the TXT record ${name} with the value ${value}, wait until DNS has it, and try again: mcpg-ctl domain verify ${host}`,
  })
}

type Named = { hostname: string; workspace: string; environment: string; name: string }

const shown = ({ host, value, createdAt, createdBy, verifiedAt }: Row, names: readonly Named[]): Domain => ({
  host,
  state: verifiedAt === null ? 'pending' : 'verified',
  record: { type: 'TXT', name: recordName(host), value },
  createdAt,
  createdBy,
  ...(verifiedAt !== null && { verifiedAt }),
  usedBy: names
    .filter(({ hostname }) => covers(host, hostname))
    .map(({ hostname, workspace, environment, name }) => ({ hostname, workspace, environment, gateway: name })),
})
