/** What `doctor` says about one thing; `remedy` is a command or an instruction. */
export type Check = { name: string; level: 'ok' | 'warn' | 'fail'; detail: string; remedy?: string }

export const ok = (name: string, detail: string): Check => ({ name, level: 'ok', detail })
export const warn = (name: string, detail: string, remedy: string): Check => ({ name, level: 'warn', detail, remedy })
export const fail = (name: string, detail: string, remedy: string): Check => ({ name, level: 'fail', detail, remedy })
