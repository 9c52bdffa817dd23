const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const
export type LogLevel = (typeof levels)[number]

export function isLogLevel(value: unknown): value is LogLevel {
  return levels.some((level) => level === value)
}

/** True when a message of this level is as severe as asked, or of a level nobody knows. */
export function admits(least: LogLevel, level: unknown): boolean {
  return !isLogLevel(level) || levels.indexOf(level) >= levels.indexOf(least)
}

export function moreVerbose(a: LogLevel | undefined, b: LogLevel): LogLevel {
  return a === undefined || levels.indexOf(b) < levels.indexOf(a) ? b : a
}
