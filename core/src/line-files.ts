import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { readRecord, timeLength, type Line } from './line-record.ts'

/** A file of a log: `<life>-<part>.log`. A life is one run of whatever writes; its lines go on from part to part. */
export type LineFile = { life: number; part: number; size: number }

const blockBytes = 64 * 1024
const newline = 10

export const fileName = ({ life, part }: Pick<LineFile, 'life' | 'part'>): string => `${life}-${part}.log`

/** The files of a folder, oldest first; none where there is no folder. */
export async function listLineFiles(folder: string): Promise<LineFile[]> {
  const names = await readdir(folder).catch(() => [])
  const found = await Promise.all(
    names.flatMap((name) => {
      const match = /^(\d{1,9})-(\d{1,9})\.log$/.exec(name)
      if (!match) return []
      const size = stat(join(folder, name)).then((facts) => facts.size)
      return [size.then((bytes) => ({ life: Number(match[1]), part: Number(match[2]), size: bytes })).catch(() => null)]
    }),
  )
  return found.filter((file) => file !== null).sort((a, b) => a.life - b.life || a.part - b.part)
}

/**
 * The last `tail` lines of the files, none of them older than `since`, in blocks as they are asked for. Files are read up to the size
 * given, and stay readable when they are removed meanwhile.
 */
export async function* readLines(
  folder: string,
  files: LineFile[],
  { tail, since }: { tail: number; since?: string | undefined },
): AsyncGenerator<Line[]> {
  if (tail <= 0) return
  const opened: { handle: FileHandle; size: number }[] = []
  try {
    for (const file of files) {
      const handle = await open(join(folder, fileName(file))).catch(() => null)
      if (handle) opened.push({ handle, size: file.size })
    }
    const start = await findStart(opened, tail, since)
    for (const [index, { handle, size }] of opened.entries())
      if (index >= start.file) yield* linesOf(handle, index === start.file ? start.offset : 0, size, since)
  } finally {
    await Promise.all(opened.map(({ handle }) => handle.close()))
  }
}

/** Backwards from the end, so that the tail of a full log costs what the tail costs. */
async function findStart(
  files: { handle: FileHandle; size: number }[],
  tail: number,
  since: string | undefined,
): Promise<{ file: number; offset: number }> {
  let count = 0
  const block = Buffer.alloc(blockBytes)
  for (let file = files.length - 1; file >= 0; file--) {
    const { handle, size } = files[file]!
    for (let end = size; end > 0;) {
      const begin = Math.max(0, end - blockBytes)
      const { bytesRead } = await handle.read(block, 0, end - begin, begin)
      const bytes = block.subarray(0, bytesRead)
      let first: number | undefined
      for (let at = bytes.lastIndexOf(newline); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(newline, at - 1)) {
        // Behind the last newline of the file no line begins.
        if (begin + at + 1 >= size) continue
        first = at + 1
        if (++count === tail) return { file, offset: begin + first }
      }
      if (begin === 0 && ++count === tail) return { file, offset: 0 }
      if (since !== undefined && first !== undefined && bytes.toString('latin1', first, first + timeLength) < since)
        return { file, offset: begin + first }
      end = begin
    }
  }
  return { file: 0, offset: 0 }
}

async function* linesOf(handle: FileHandle, from: number, to: number, since: string | undefined): AsyncGenerator<Line[]> {
  let held = Buffer.alloc(0)
  for (let at = from; at < to;) {
    const block = Buffer.alloc(Math.min(blockBytes, to - at))
    const { bytesRead } = await handle.read(block, 0, block.length, at)
    if (bytesRead === 0) return
    at += bytesRead
    const bytes = Buffer.concat([held, block.subarray(0, bytesRead)])
    const end = bytes.lastIndexOf(newline)
    held = bytes.subarray(end + 1)
    const lines =
      end < 0
        ? []
        : bytes
            .toString('utf8', 0, end)
            .split('\n')
            .flatMap((record) => readRecord(record) ?? [])
    const wanted = since === undefined ? lines : lines.filter((line) => line.at >= since)
    if (wanted.length > 0) yield wanted
  }
}
