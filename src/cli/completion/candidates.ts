/** What may stand in the place of a word. One that ends in ':', '=' or '/' goes on: no space follows it. */
export interface Candidate {
  readonly value: string
  readonly meaning?: string | undefined
}

/** Words, or what the shell itself knows best. */
export type Completion =
  | { kind: 'words'; candidates: readonly Candidate[] }
  | { kind: 'files' | 'directories' | 'programs' }

export function startingWith(word: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(word))
}
