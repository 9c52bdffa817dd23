/** Values pushed at one end and iterated at the other; `onTaken` tells when one was taken out. */
export function channel<T>() {
  const values: { value: T; taken: () => void }[] = []
  let wake = () => {}
  let state: 'open' | 'ended' | Error = 'open'
  return {
    push(value: T, taken: () => void = () => {}): void {
      if (state !== 'open') return
      values.push({ value, taken })
      wake()
    },
    end(error?: Error): void {
      if (state === 'open') state = error ?? 'ended'
      wake()
    },
    waiting: () => values.length,
    async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
      for (;;) {
        const next = values.shift()
        if (next) {
          next.taken()
          yield next.value
        } else if (state === 'open') await new Promise<void>((resolve) => (wake = resolve))
        else if (state === 'ended') return
        else throw state
      }
    },
  }
}
