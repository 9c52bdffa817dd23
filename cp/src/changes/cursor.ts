/**
 * A place in the stream of changes: the process (`boot`) and its count (`seq`), and the last number of the scope (`version`), which
 * also means something to the next process.
 */
export type Cursor = { boot: string; seq: number; version: number }

export const writeCursor = ({ boot, seq, version }: Cursor): string => Buffer.from(`${boot}.${seq}.${version}`).toString('base64url')

/** Null for what is not one of ours. */
export function readCursor(text: string): Cursor | null {
  const match = /^([0-9a-f]{8})\.(\d{1,15})\.(\d{1,15})$/.exec(Buffer.from(text, 'base64url').toString())
  return match ? { boot: match[1]!, seq: Number(match[2]), version: Number(match[3]) } : null
}
