/** Items of one block that are passed on together. */
const batch = 256

/** Streams that are each in the order of `timeOf`, as one in that order. Holds one block of each. */
export async function* mergeByTime<Item>(sources: AsyncIterable<Item[]>[], timeOf: (item: Item) => string): AsyncGenerator<Item[]> {
  const readers = sources.map((source) => source[Symbol.asyncIterator]())
  try {
    let heads = await filled(readers.map((reader) => ({ reader, items: [] as Item[], at: 0 })))
    let merged: Item[] = []
    while (heads.length > 0) {
      let first = heads[0]!
      for (const head of heads) if (timeOf(head.items[head.at]!) < timeOf(first.items[first.at]!)) first = head
      merged.push(first.items[first.at++]!)
      const isEmpty = first.at >= first.items.length
      if (merged.length >= batch || (isEmpty && merged.length > 0)) {
        yield merged
        merged = []
      }
      if (isEmpty) heads = await filled(heads)
    }
  } finally {
    for (const reader of readers) await reader.return?.()
  }

  /** Those that have something left. */
  async function filled<Head extends { reader: AsyncIterator<Item[]>; items: Item[]; at: number }>(all: Head[]): Promise<Head[]> {
    const next = await Promise.all(
      all.map(async (head) => {
        while (head.at >= head.items.length) {
          const { value, done } = await head.reader.next()
          if (done) return null
          Object.assign(head, { items: value, at: 0 })
        }
        return head
      }),
    )
    return next.flatMap((head) => head ?? [])
  }
}
