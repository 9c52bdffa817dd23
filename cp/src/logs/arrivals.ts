/**
 * Items of several sources as they come. A source waits until its item is taken, so nothing is held but one item of each. Whoever reads
 * must see to it that the sources end when it stops reading.
 */
export async function* arrivals<Item>(sources: AsyncIterable<Item>[]): AsyncGenerator<Item> {
  const ready: { item: Item; taken: () => void }[] = []
  let left = sources.length
  let failure: { error: unknown } | undefined
  let isOver = false
  let wake = () => {}
  for (const source of sources)
    void pump(source)
      .catch((error: unknown) => (failure ??= { error }))
      .finally(() => {
        left--
        wake()
      })
  try {
    for (;;) {
      const next = ready.shift()
      if (failure) throw failure.error
      if (next) {
        yield next.item
        next.taken()
      } else if (left === 0) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    isOver = true
    for (const { taken } of ready) taken()
  }

  async function pump(source: AsyncIterable<Item>): Promise<void> {
    for await (const item of source) {
      if (isOver) return
      await new Promise<void>((taken) => {
        ready.push({ item, taken })
        wake()
      })
    }
  }
}
