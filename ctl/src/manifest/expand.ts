const reference = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:[-+])((?:[^{}$]|\$(?!\{))*))?\}|\$\{/g

/**
 * Expands `${VAR}`, `${VAR:-default}` (unset or empty) and `${VAR:+replacement}` (set and not empty); `$${` stands for `${`.
 * `problem` is told what is wrong; the text then keeps the reference.
 */
export function expand(text: string, variable: (name: string) => string | undefined, problem: (detail: string) => void): string {
  return text.replace(reference, (whole, name: string | undefined, operator: string | undefined, word: string | undefined) => {
    if (whole === '$${') return '${'
    if (!name) {
      problem('${ begins no ${VAR}, ${VAR:-default} or ${VAR:+replacement}; write $${ for the two characters themselves')
      return whole
    }
    const value = variable(name)
    if (operator === ':-') return value ? value : (word ?? '')
    if (operator === ':+') return value ? (word ?? '') : ''
    if (value !== undefined) return value
    problem(`the variable ${name} is not set; set it, or write \${${name}:-default}`)
    return whole
  })
}

/** Text that `expand` turns back into `text`. */
export const escapeReferences = (text: string): string => text.replaceAll('${', () => '$${')
