/* For tests only: a certificate authority of a few lines, which issues what a real one would refuse as well. */
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Pkcs10CertificateRequest,
  PublicKey,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type Extension,
} from '@peculiar/x509'
import { generateKeyPairSync, randomBytes, webcrypto, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { pinOf } from './pins.ts'

type Dates = { notBefore?: Date; notAfter?: Date }

const day = 86_400_000
const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }

export type TestAuthority = Awaited<ReturnType<typeof testAuthority>>

export async function testAuthority(name = 'test root') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = `CN=${name}`
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der(privateKey, 'pkcs8'), algorithm, false, ['sign'])
  const root = await issue(der(publicKey, 'spki'), subject, [new BasicConstraintsExtension(true, undefined, true)], {})
  return { pem: root.toString(), der: new Uint8Array(root.raw), pin: pinOf(root), server, client }

  /** A key and a certificate for a listener with these names. */
  async function server(names: string[], dates: Dates = {}): Promise<{ key: string; cert: string }> {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const leaf = await issue(
      der(pair.publicKey, 'spki'),
      `CN=${names[0]}`,
      [namesOf(names), new ExtendedKeyUsageExtension([serverAuth])],
      dates,
    )
    return { key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: leaf.toString() }
  }

  /** What a PKCS#10 request (DER) gets: a client certificate, or a server's for `names`. */
  async function client(csr: Uint8Array, dates: Dates = {}, names?: string[]): Promise<Uint8Array<ArrayBuffer>> {
    const request = new Pkcs10CertificateRequest(new Uint8Array(csr))
    const extensions = names ? [namesOf(names), new ExtendedKeyUsageExtension([serverAuth])] : [new ExtendedKeyUsageExtension([clientAuth])]
    const leaf = await issue(new Uint8Array(request.publicKey.rawData), request.subject, extensions, dates)
    return new Uint8Array(leaf.raw)
  }

  async function issue(spki: Uint8Array<ArrayBuffer>, to: string, extensions: Extension[], dates: Dates): Promise<X509Certificate> {
    const certificate = await X509CertificateGenerator.create({
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      issuer: subject,
      subject: to,
      notBefore: dates.notBefore ?? new Date(Date.now() - day),
      notAfter: dates.notAfter ?? new Date(Date.now() + day),
      signingKey,
      signingAlgorithm,
      publicKey: new PublicKey(spki),
      extensions,
    })
    return new X509Certificate(Buffer.from(certificate.rawData))
  }
}

function namesOf(names: string[]): SubjectAlternativeNameExtension {
  return new SubjectAlternativeNameExtension(
    names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
  )
}

function der(key: KeyObject, type: 'pkcs8' | 'spki'): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ type, format: 'der' } as { type: 'spki'; format: 'der' }))
}
