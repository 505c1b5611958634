/** One argument in HTCondor's syntax, condor_submit(1) "arguments", without the double quotes around the whole. */
export function quoteArgument(argument: string): string {
  return `'${argument.replaceAll("'", "''")}'`
}

/** The arguments in a text of that syntax; double quotes around the whole may be there. */
export function splitArguments(text: string): string[] {
  const inner = text.trim().replace(/^"(.*)"$/s, '$1')
  const words = inner.match(/(?:'(?:[^']|'')*'|[^\s'])+/g) ?? []
  return words.map((word) =>
    word.replace(/'((?:[^']|'')*)'/g, (_, quoted: string) => quoted.replaceAll("''", "'")),
  )
}
