import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import { periodically } from './periodically.ts'
import type { Timers } from './timers.ts'
import { listeners, type Pair, type ServerCertificate } from './server-certificate.ts'

export type CertificateFiles = { cert: string; key: string }

/** What is wrong with one of the two files, for people. */
export type FileProblem = { file: keyof CertificateFiles; detail: string }

/** Reads a certificate chain and its key, both PEM. Either the pair or everything that is wrong with it. */
export function readPair(files: CertificateFiles, now: number): { pair: Pair; notAfter: number } | { problems: FileProblem[] } {
  const problems: FileProblem[] = []
  const cert = read('cert')
  const key = read('key')
  const leaf = cert === undefined ? undefined : parse('cert', 'a certificate in PEM', () => new X509Certificate(cert))
  const privateKey = key === undefined ? undefined : parse('key', 'an unencrypted private key in PEM', () => createPrivateKey(key))
  if (leaf) checkTime(leaf)
  if (leaf && privateKey && !leaf.checkPrivateKey(privateKey))
    wrong('key', `${files.key} is not the key of the certificate in ${files.cert}`)
  if (problems.length > 0 || !leaf || cert === undefined || key === undefined) return { problems }
  return { pair: { cert, key }, notAfter: leaf.validToDate.getTime() }

  function read(file: keyof CertificateFiles): string | undefined {
    try {
      return readFileSync(files[file], 'utf8')
    } catch (error) {
      return wrong(file, `${files[file]} cannot be read (${(error as NodeJS.ErrnoException).code})`)
    }
  }

  function parse<T extends X509Certificate | KeyObject>(file: keyof CertificateFiles, what: string, work: () => T): T | undefined {
    try {
      return work()
    } catch {
      return wrong(file, `${files[file]} is not ${what}`)
    }
  }

  function checkTime({ validFromDate, validToDate }: X509Certificate): void {
    if (validToDate.getTime() <= now) wrong('cert', `the certificate in ${files.cert} expired at ${validToDate.toISOString()}`)
    if (validFromDate.getTime() > now) wrong('cert', `the certificate in ${files.cert} is not valid before ${validFromDate.toISOString()}`)
  }

  function wrong(file: keyof CertificateFiles, detail: string): undefined {
    problems.push({ file, detail })
  }
}

/**
 * A certificate that somebody else renews (ACME): the files are looked at now and then and taken over when they have changed and fit
 * each other. What cannot be used is logged once and the old pair stays.
 */
export function givenCertificate({
  files,
  first,
  clock,
  timers,
  log,
}: {
  files: CertificateFiles
  first: Pair
  clock: Clock
  timers: Timers
  log: Log
}): ServerCertificate {
  let pair = first
  let seen = stamp()
  const changed = listeners()
  const checks = periodically({
    name: 'certificate files',
    clock,
    everyMs: timers.certificateCheck,
    work: check,
    failed: (error) => log.warn({ err: error, file: files.cert }, 'the certificate files cannot be looked at'),
  })
  void checks.start()
  return { pair: () => pair, onChange: changed.add, stop: () => void checks.stop() }

  function check(): void {
    const now = stamp()
    if (now === seen) return
    seen = now
    const found = readPair(files, clock.now())
    if ('problems' in found)
      return log.warn(
        { problems: found.problems.map(({ detail }) => detail) },
        'the new certificate files cannot be used; the old ones stay',
      )
    pair = found.pair
    log.info({ file: files.cert, until: new Date(found.notAfter).toISOString() }, 'the server certificate was read again')
    changed.tell()
  }

  function stamp(): string {
    return [files.cert, files.key]
      .map((path) => statSync(path, { throwIfNoEntry: false }))
      .map((facts) => (facts ? `${facts.ino}:${facts.size}:${facts.mtimeMs}` : 'none'))
      .join()
  }
}
