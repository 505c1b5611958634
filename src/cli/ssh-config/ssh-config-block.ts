import { SshjobError } from '../../core/errors.js'

/** The first and the last line of what is ours in a file. */
export function blockMarks(suffix: string): { begin: string; end: string } {
  return { begin: `# >>> sshjob ${suffix} >>>`, end: `# <<< sshjob ${suffix} <<<` }
}

/**
 * A text without the blocks for this suffix, all the rest being as it was, and where the first of them stood;
 * undefined: there is none.
 * @throws SshjobError 'usage' for a block without an end
 */
export function cutBlocks(text: string, suffix: string): { rest: string; at: number | undefined } {
  const { begin, end } = blockMarks(suffix)
  let at: number | undefined
  let open = false
  let rest = ''
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const words = line.trim()
    if (words === begin) {
      if (open) throw unbalanced(begin, end)
      open = true
      at ??= rest.length
    }
    if (!open) rest += line
    if (words === end) {
      if (!open) throw unbalanced(end, begin)
      open = false
    }
  }
  if (open) throw unbalanced(begin, end)
  return { rest, at }
}

/** Puts the block where the first one for this suffix was, else before everything: in ssh_config(5) the first value counts. */
export function putBlock(text: string, suffix: string, block: string): string {
  const { rest, at = 0 } = cutBlocks(text, suffix)
  return `${rest.slice(0, at)}${block}${rest.slice(at)}`
}

function unbalanced(mark: string, other: string): SshjobError {
  return new SshjobError('usage', `There is a line '${mark}' without its '${other}': mend that by hand.`)
}
