/** One term of a label selector: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a` (Kubernetes' syntax). */
export type SelectorTerm = { key: string; operator: 'in' | 'notin' | 'exists' | 'absent'; values: string[] }

/** Parses a label selector; throws a RangeError that says which term is wrong. */
export function parseSelector(text: string): SelectorTerm[] {
  return splitTerms(text).map(parseTerm)
}

export function selects(terms: SelectorTerm[], labels: Record<string, string>): boolean {
  return terms.every((term) => {
    const value = labels[term.key]
    switch (term.operator) {
      case 'exists':
        return value !== undefined
      case 'absent':
        return value === undefined
      case 'in':
        return value !== undefined && term.values.includes(value)
      case 'notin':
        return value === undefined || !term.values.includes(value)
    }
  })
}

/** A comma inside parentheses does not end a term. */
function splitTerms(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '')
}

function parseTerm(term: string): SelectorTerm {
  const set = /^(\S+)\s+(in|notin)\s+\(([^()]*)\)$/.exec(term)
  if (set) return { key: set[1]!, operator: set[2] as 'in' | 'notin', values: set[3]!.split(',').map((value) => value.trim()) }
  const equality = /^([^\s!=]+)\s*(==|=|!=)\s*([^\s!=]*)$/.exec(term)
  if (equality) return { key: equality[1]!, operator: equality[2] === '!=' ? 'notin' : 'in', values: [equality[3]!] }
  const presence = /^(!?)\s*([^\s!=()]+)$/.exec(term)
  if (presence) return { key: presence[2]!, operator: presence[1] ? 'absent' : 'exists', values: [] }
  throw new RangeError(`"${term}" is not a selector term: write key=value, key!=value, key in (a,b), key notin (a,b), key or !key`)
}
