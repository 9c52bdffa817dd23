/**
 * References to variables as clients write them: `${VAR}`, `${VAR:-default}`, `${env:VAR}`, `$VAR`, `${var:KEY}` and `${vault:KEY}` of a
 * stack, `${input:id}`, which a person is asked for and here is the variable ID.
 */
const reference = /\$\{(?:(env|input|var|vault):)?([A-Za-z_][\w.-]*)(?:(:[-+])([^}]*))?\}|\$([A-Za-z_]\w*)/g

/** Where to look, and what the words for folders mean. */
export type Variables = { variable: (name: string) => string | undefined; folders: Record<string, string> }

/** The text with every reference filled in, and the variables that are missing. */
export function fillIn(text: string, { variable, folders }: Variables): { text: string; missing: string[] } {
  const missing: string[] = []
  const filled = text.replace(
    reference,
    (whole, room: string | undefined, name: string | undefined, operator: string | undefined, word = '', bare: string | undefined) => {
      const folder = room === undefined && name !== undefined ? folders[name] : undefined
      if (folder !== undefined) return folder
      const wanted = bare ?? variableOf(room, name ?? '')
      const value = variable(wanted)
      if (operator === ':+') return value ? word : ''
      if (value !== undefined && (value !== '' || operator === undefined)) return value
      if (operator === ':-') return word
      // A dollar sign alone is seldom meant as a reference, and a price list or a pattern has many.
      if (bare !== undefined) return whole
      missing.push(wanted)
      return whole
    },
  )
  return { text: filled, missing: [...new Set(missing)] }
}

/** The variable that a text is, if it is one and nothing else. */
export function soleVariable(text: string): string | undefined {
  const [match, ...more] = text.matchAll(reference)
  if (!match || more.length > 0 || match[0] !== text || match[3] !== undefined) return undefined
  return match[5] ?? variableOf(match[1], match[2] ?? '')
}

const variableOf = (room: string | undefined, name: string) =>
  room === 'input' || room === 'var' || room === 'vault' ? name.toUpperCase().replace(/[^A-Z0-9]+/g, '_') : name
