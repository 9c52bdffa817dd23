import type { Db, Tx } from '../db/db.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** A row of `gateway_certificates`. Serials are lower-case hex, times RFC 3339, keys SPKI in DER. */
export type CertificateRow = {
  gatewayId: string
  serial: string
  notAfter: string
  publicKey: Bytes
  issuedAt: string
  /** Issued and not yet used. */
  pendingSerial: string | null
  pendingNotAfter: string | null
  pendingRenewAfter: string | null
  pendingKey: Bytes | null
  pendingChain: Bytes | null
  overlapUntil: string | null
  renewalKey: string | null
  previousKey: Bytes | null
  renewals: number
  recoveries: number
}

export type CredentialStore = ReturnType<typeof credentialStore>

export function credentialStore({ read }: Pick<Db, 'read'>) {
  return { listAll, insert, update, setSequence }

  async function listAll(): Promise<CertificateRow[]> {
    const rows = await read.gatewayCertificate.findMany()
    return rows.map((row) => ({
      ...row,
      publicKey: new Uint8Array(row.publicKey),
      pendingKey: row.pendingKey && new Uint8Array(row.pendingKey),
      pendingChain: row.pendingChain && new Uint8Array(row.pendingChain),
      previousKey: row.previousKey && new Uint8Array(row.previousKey),
    }))
  }

  /** The first one of a gateway, also when its first answer was lost. */
  async function insert(tx: Tx, row: CertificateRow): Promise<void> {
    const { gatewayId, ...values } = row
    await tx.gatewayCertificate.upsert({ where: { gatewayId }, create: row, update: values })
  }

  /** Nothing when the gateway was deleted meanwhile. */
  async function update(tx: Tx, { gatewayId, ...values }: CertificateRow): Promise<void> {
    await tx.gatewayCertificate.updateMany({ where: { gatewayId }, data: values })
  }

  /** The number of the credential that was issued last. */
  async function setSequence(tx: Tx, id: string, credentialSequence: number): Promise<void> {
    await tx.gateway.update({ where: { id }, data: { credentialSequence } })
  }
}

/** DER certificates with a 32-bit length before each. */
export function packChain(chain: Uint8Array[]): Bytes {
  const parts = chain.flatMap((der) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(der.length)
    return [length, der]
  })
  return new Uint8Array(Buffer.concat(parts))
}

export function unpackChain(packed: Uint8Array): Bytes[] {
  const bytes = Buffer.from(packed)
  const chain: Bytes[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at)
    chain.push(new Uint8Array(bytes.subarray(at + 4, end)))
    at = end
  }
  return chain
}
