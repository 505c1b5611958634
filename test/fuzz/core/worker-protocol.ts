/** What a worker is started for. */
export type Task =
  | {
      kind: 'fuzz'
      seed: number
      targets: readonly string[]
      /** Milliseconds since the epoch. */
      until: number
      /** Slices of cases for each target, at most. */
      rounds: number
    }
  | { kind: 'replay'; cases: readonly string[] }

export type Order = Task & {
  /** The file in which it notes its case before it runs it. */
  current: string
  /** In the environment of whatever it starts. */
  mark: string
  /** How long one case may take, in milliseconds. */
  limitMs: number
}

/** What it says. */
export type Report =
  | { kind: 'ready'; targets: string[] }
  /** What some cases in a row came to, and how many of them have reached something new. */
  | { kind: 'slice'; target: string; outcomes: string[]; news: number; reached: number }
  | { kind: 'replaying'; index: number }
  /** Without a script, it is nothing that a single case is to blame for. */
  | { kind: 'failed'; target: string; script?: object[]; failure: string }
  | { kind: 'done' }
