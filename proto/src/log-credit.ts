/**
 * What both ends of a log stream count alike. A stream begins with a window; every line sent uses some of it up, every line passed on to
 * its reader is granted anew. Frames hold at most 16 KiB, so a line of the longest kind fits one with what stands around it.
 */
export const logWindowBytes = 256 * 1024
export const maxLogChunkBytes = 16 * 1024
/** Time, source, instance and field headers of one line. */
const envelopeBytes = 160
export const maxLogLineBytes = maxLogChunkBytes - envelopeBytes

/** Bytes of credit that a line costs. */
export const logLineCost = (text: string): number => Buffer.byteLength(text) + envelopeBytes
