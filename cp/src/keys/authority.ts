import { randomBytes, randomUUID, X509Certificate } from 'node:crypto'
import type { JsonGeneralName } from '@peculiar/x509'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import type { Db } from '../db/db.ts'
import { makeCertificate, newKey, pemOf, pinOf, signingKeyOf, type Issuer } from './certificates.ts'
import { seal, unseal } from './sealed.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Ten years: it is pinned in enrollment URLs and never leaves the database. */
const rootLifeMs = 3_650 * 86_400_000

const purposes = { root: 'ca-root', issuing: 'ca-issuing' } as const

export type LeafRequest = {
  subject: string
  /** SPKI in DER. */
  publicKey: Uint8Array
  names: JsonGeneralName[]
  use: 'client' | 'server'
  lifeMs: number
}

/** Times in milliseconds since 1970, the chain in DER, leaf first and without the root. */
export type Leaf = { serial: string; notBefore: number; notAfter: number; chain: Bytes[] }

export type Authority = {
  /** `mcpg-<8 hex>`, minted with the root. */
  trustDomain: string
  roots: () => Bytes[]
  rootsPem: () => string
  /** Of every root, as they stand in `#pin=sha256:…`. */
  pins: () => string[]
  issue: (request: LeafRequest) => Promise<Leaf>
}

type Signer = { id: string; certificate: Bytes; notAfter: number; issuer: Issuer }

/**
 * Our own certificate authority: a root of ten years that signs only issuing certificates, and an issuing one that signs leaves and is
 * replaced by itself in the last third of its life. Both keys lie sealed in the database. A leaf never outlives what signed it.
 */
export async function loadAuthority({
  db,
  masterKey,
  clock,
  timers,
  log,
}: {
  db: Db
  masterKey: Buffer
  clock: Clock
  timers: Timers
  log: Log
}): Promise<Authority> {
  const roots = await stored(purposes.root)
  const root = roots[0] ?? (await createRoot())
  const all = [root, ...roots.slice(1)]
  let [issuing] = await stored(purposes.issuing)
  let replacing: Promise<Signer> | undefined
  const trustDomain = trustDomainOf(root)
  await currentIssuing()
  return {
    trustDomain,
    roots: () => all.map((one) => one.certificate),
    rootsPem: () => all.map((one) => pemOf(one.certificate)).join(''),
    pins: () => all.map((one) => pinOf(one.issuer.publicKey)),
    issue,
  }

  async function issue({ lifeMs, ...request }: LeafRequest): Promise<Leaf> {
    const signer = await currentIssuing()
    const notBefore = clock.now() - timers.certificateBackdate
    const notAfter = wholeSeconds(Math.min(clock.now() + lifeMs, signer.notAfter))
    const { der, serial } = await makeCertificate({ ...request, notBefore, notAfter }, signer.issuer)
    return { serial, notBefore: wholeSeconds(notBefore), notAfter, chain: [der, signer.certificate] }
  }

  /** Two that ask at once get the same new one. */
  async function currentIssuing(): Promise<Signer> {
    if (issuing && issuing.notAfter - clock.now() > timers.issuingLife / 3) return issuing
    replacing ??= createIssuing().finally(() => (replacing = undefined))
    return await replacing
  }

  async function createIssuing(): Promise<Signer> {
    const before = issuing
    const made = await create('issuing', {
      subject: `CN=mcpg issuing ${randomBytes(4).toString('hex')},O=${trustDomain}`,
      notAfter: Math.min(clock.now() + timers.issuingLife, root.notAfter),
      signedBy: root.issuer,
      replaces: before?.id,
    })
    if (before) log.info({ until: new Date(made.notAfter).toISOString() }, 'the issuing certificate was replaced')
    return (issuing = made)
  }

  async function createRoot(): Promise<Signer> {
    const domain = `mcpg-${randomBytes(4).toString('hex')}`
    return await create('root', { subject: `CN=mcpg root,O=${domain}`, notAfter: clock.now() + rootLifeMs })
  }

  async function create(
    use: keyof typeof purposes,
    { subject, notAfter, signedBy, replaces }: { subject: string; notAfter: number; signedBy?: Issuer; replaces?: string | undefined },
  ): Promise<Signer> {
    const { privateKey, publicKey } = await newKey()
    const issuer = { subject, publicKey, signingKey: await signingKeyOf(privateKey) }
    const { der } = await makeCertificate(
      { subject, publicKey, names: [], use, notBefore: clock.now() - timers.certificateBackdate, notAfter },
      signedBy ?? issuer,
    )
    const id = `ca_${randomUUID()}`
    const purpose = purposes[use]
    const row = {
      id,
      purpose,
      publicKey,
      sealed: seal(masterKey, { id, purpose }, privateKey),
      active: true,
      createdAt: new Date(clock.now()).toISOString(),
      certificate: der,
    }
    await db.write(async (tx) => {
      await tx.sealedKey.create({ data: row })
      if (replaces !== undefined) await tx.sealedKey.update({ where: { id: replaces }, data: { active: false } })
    })
    return { id, certificate: der, notAfter: wholeSeconds(notAfter), issuer }
  }

  async function stored(purpose: string): Promise<Signer[]> {
    const rows = await db.read.sealedKey.findMany({ where: { purpose, active: true }, orderBy: { createdAt: 'desc' } })
    return await Promise.all(
      rows.map(async ({ id, sealed, publicKey, certificate }) => {
        const der = new Uint8Array(certificate!)
        const parsed = new X509Certificate(der)
        const signingKey = await signingKeyOf(unseal(masterKey, { id, purpose }, sealed))
        return { id, certificate: der, notAfter: parsed.validToDate.getTime(), issuer: { subject: nameOf(parsed), publicKey, signingKey } }
      }),
    )
  }
}

const trustDomainOf = ({ certificate }: Signer): string => /O=(mcpg-[0-9a-f]{8})/.exec(new X509Certificate(certificate).subject)![1]!

/** Node prints one attribute a line, the library wants them separated by commas. */
const nameOf = (certificate: X509Certificate): string => certificate.subject.split('\n').join(',')

/** Certificates count in seconds; what we remember must not be later than what they say. */
const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000
