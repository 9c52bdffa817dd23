/**
 * Secrets that changed and that no compile has seen yet. A server that uses one is not yet what it should be, although neither its spec
 * nor the config of its gateway says so.
 */
export function dueSecrets() {
  const due = new Map<string, Map<string, number>>()
  let touches = 0
  return { touched, isDue, take }

  function touched(scope: string, secret: string): void {
    const ofScope = due.get(scope) ?? new Map<string, number>()
    due.set(scope, ofScope.set(secret, ++touches))
  }

  function isDue(scope: string, secret: string): boolean {
    return due.get(scope)?.has(secret) === true
  }

  /** For one compile, before it reads. What it answers is called once its configs stand, and tells which secrets are no longer due. */
  function take(scope: string): () => string[] {
    const until = touches
    return () => {
      const ofScope = due.get(scope) ?? new Map<string, number>()
      const seen = [...ofScope].filter(([, touch]) => touch <= until).map(([secret]) => secret)
      for (const secret of seen) ofScope.delete(secret)
      return seen
    }
  }
}
