/** A server certificate with its key, both PEM, the chain leaf first. */
export type Pair = { cert: string; key: string }

/** The certificate of a listener; it changes while the listener runs. */
export type ServerCertificate = {
  pair(): Pair
  /** Told after every change. */
  onChange(tell: () => void): void
  stop(): void
}

/** Those who hear of a change. */
export function listeners() {
  const all = new Set<() => void>()
  return { add: (tell: () => void) => void all.add(tell), tell: () => all.forEach((one) => one()) }
}
