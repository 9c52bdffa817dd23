import { closeSync, openSync } from 'node:fs'
import { Writable } from 'node:stream'
import { pino, destination as fileDestination, type DestinationStream, type Logger } from 'pino'
import pretty from 'pino-pretty'
import { redact } from './redact.ts'

export type Log = Logger

export type LogSettings = {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** One JSON object a line instead of text for people. */
  json: boolean
  /** Appends to this file (created 0600) instead of standard error. */
  file?: string | undefined
}

export type LogSinks = {
  /** Instead of standard error. */
  sink?: DestinationStream | undefined
  /** Gets every line too, as one line of plain text. */
  keep?: (text: string) => void
}

/** A log whose every line has passed `redact`, whatever it was given: message, fields, errors with their stacks. */
export function createLog({ level, json, file }: LogSettings, { sink, keep }: LogSinks = {}): Log {
  if (file) closeSync(openSync(file, 'a', 0o600))
  const raw = sink ?? fileDestination({ dest: file ?? 2, sync: true })
  const clean: DestinationStream = { write: (line) => raw.write(redact(line)) }
  const out = json
    ? clean
    : pretty({
        destination: writable(clean),
        colorize: !file && !sink && process.stderr.isTTY,
        ignore: 'pid,hostname',
        sync: true,
      })
  const all: DestinationStream = keep
    ? {
        write(line) {
          keep(redact(plainText(line)))
          out.write(line)
        },
      }
    : out
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: pino.stdSerializers.err } }, all)
}

/** `WARN message {"field":1}`; the time is that of whoever keeps it. */
function plainText(record: string): string {
  const { level, time: _time, msg, ...fields } = JSON.parse(record) as { level: number; time: string; msg?: string }
  const rest = Object.keys(fields).length > 0 ? JSON.stringify(fields) : ''
  return [(pino.levels.labels[level] ?? '').toUpperCase(), msg, rest].filter(Boolean).join(' ')
}

/** pino-pretty writes to a stream; this is the smallest one that keeps its lines in order. */
function writable(target: DestinationStream) {
  return new (class extends Writable {
    override _write(chunk: Buffer, _encoding: string, done: () => void) {
      target.write(chunk.toString())
      done()
    }
  })()
}
