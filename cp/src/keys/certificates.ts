// The library registers its ASN.1 classes with decorators.
import 'reflect-metadata'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type Extension,
  type JsonGeneralName,
} from '@peculiar/x509'
import { createHash, randomBytes, webcrypto, X509Certificate } from 'node:crypto'

type Bytes = Uint8Array<ArrayBuffer>

export const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const

/** A certificate to be made. Times in milliseconds since 1970; `publicKey` is SPKI in DER. */
export type CertificateRequest = {
  subject: string
  publicKey: Uint8Array
  notBefore: number
  notAfter: number
  names: JsonGeneralName[]
  /** `root` and `issuing` sign others; `issuing` signs leaves only. */
  use: 'root' | 'issuing' | 'client' | 'server'
}

export type Issuer = { subject: string; publicKey: Uint8Array; signingKey: webcrypto.CryptoKey }

/** Signs in the thread pool; about a millisecond. The serial is lower-case hex of 16 bytes. */
export async function makeCertificate(request: CertificateRequest, issuer: Issuer): Promise<{ der: Bytes; serial: string }> {
  const serial = newSerial()
  const publicKey = new PublicKey(new Uint8Array(request.publicKey))
  const made = await X509CertificateGenerator.create(
    {
      serialNumber: serial,
      subject: request.subject,
      issuer: issuer.subject,
      notBefore: new Date(request.notBefore),
      notAfter: new Date(request.notAfter),
      publicKey,
      signingKey: issuer.signingKey as never,
      signingAlgorithm,
      extensions: [
        ...usesOf(request.use),
        await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto as never),
        await AuthorityKeyIdentifierExtension.create(new PublicKey(new Uint8Array(issuer.publicKey)), false, webcrypto as never),
        ...(request.names.length > 0 ? [new SubjectAlternativeNameExtension(request.names)] : []),
      ],
    },
    webcrypto as never,
  )
  return { der: new Uint8Array(made.rawData), serial }
}

function usesOf(use: CertificateRequest['use']): Extension[] {
  if (use === 'root' || use === 'issuing')
    return [
      new BasicConstraintsExtension(true, use === 'issuing' ? 0 : 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ]
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([use === 'client' ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth], true),
  ]
}

/** A new P-256 key: the private half as PKCS#8, the public one as SPKI, both DER. */
export async function newKey(): Promise<{ privateKey: Bytes; publicKey: Bytes }> {
  const pair = (await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  return {
    privateKey: new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey)),
    publicKey: new Uint8Array(await webcrypto.subtle.exportKey('spki', pair.publicKey)),
  }
}

export async function signingKeyOf(privateKey: Uint8Array): Promise<webcrypto.CryptoKey> {
  return await webcrypto.subtle.importKey('pkcs8', new Uint8Array(privateKey), keyAlgorithm, false, ['sign'])
}

export const pemOf = (der: Uint8Array): string => new X509Certificate(der).toString()

/** base64url of SHA-256 over the public key (SPKI): the form of `#pin=sha256:…`. */
export const pinOf = (publicKey: Uint8Array): string => createHash('sha256').update(publicKey).digest('base64url')

/** Positive and without leading zeros, so that every program prints the same digits. */
function newSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes.toString('hex')
}
