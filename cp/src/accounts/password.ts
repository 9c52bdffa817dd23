import { hash, verify } from '@node-rs/argon2'
import { McpgError } from '@mcpg/proto/errors'

/** argon2id as OWASP recommends it: 19 MiB, 2 passes, 1 lane; the library's algorithm by default. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** Each takes 19 MiB and a thread of the pool for some 30 ms: a flood of sign-ins is told to come back. */
const mostAtOnce = 8

/** Hashes and compares passwords, a few at a time. */
export function passwords() {
  let running = 0
  /** Of nobody's password; an unknown user costs what a known one does. */
  const nobody = hash('nobody has this password', cost)
  return { hash: (password: string) => guarded(() => hash(password, cost)), matches }

  async function matches(stored: string | null, password: string): Promise<boolean> {
    return guarded(async () => (await verify(stored ?? (await nobody), password)) && stored !== null)
  }

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    if (running >= mostAtOnce)
      throw new McpgError('unavailable', 'sign_in_busy', 'Too many people sign in at this moment.', { retryAfterSeconds: 1 })
    running += 1
    try {
      return await work()
    } finally {
      running -= 1
    }
  }
}
