/** Progress for people; results go to stdout. */
export type Say = (line: string) => void

export const sayOnStderr: Say = (line) => void process.stderr.write(`${line}\n`)
