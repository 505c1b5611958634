import type fc from 'fast-check'
import type { Script } from './script.js'

/** Something of ours that an adversary talks to. */
export interface Target {
  readonly name: string
  readonly scripts: fc.Arbitrary<Script>
  /** What cases come to, each of which some case of a hundred does: that those are any good is shown by this. */
  readonly outcomes: readonly string[]
  /** How many descriptors and the like it may keep for what comes next, all in all. Default: none. */
  readonly keeps?: number
  /** How many cases the tests with a fixed seed have. Default: 300. */
  readonly cases?: number
  /** @param directory empty, of its own, and short enough for sockets */
  open(directory: string): Promise<OpenTarget>
}

export interface OpenTarget {
  /**
   * Does what the script says.
   * @returns what it came to
   * @throws whatever, where something that has to hold does not
   */
  run(script: Script): Promise<string>
  close(): Promise<void>
}
