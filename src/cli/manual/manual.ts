import type { OptionTable } from '../arguments/options.js'

/** A term and what it means. */
export type Row = readonly [term: string, meaning: string]

/** A section of the man page. */
export interface ManualSection {
  readonly title: string
  /** Paragraphs; a list of rows is one. */
  readonly text: readonly (string | readonly Row[])[]
}

/**
 * What a word is that is no option, for completion: a job, a port of the job before it, JOB:PATH or a file here, a
 * program, or one of some words.
 */
export type Operand = 'job' | 'port' | 'place' | 'program' | 'file' | readonly string[]

/**
 * What a command says of itself: --help, its man page and the completion of its options are made from this. All of it is
 * ASCII: a terminal of the C locale shows nothing else.
 */
export interface Manual {
  /** As it is called: 'sshjob cp'. */
  readonly name: string
  /** What it does, in a few words. */
  readonly summary: string
  /** What stands behind the name, one for each way to call it. */
  readonly calls: readonly string[]
  /** Paragraphs. */
  readonly description: readonly string[]
  /** Its subcommands, as they are called, and what they do. */
  readonly commands?: readonly Row[]
  readonly options: OptionTable<string>
  /** The words behind the options; the last stands for all that follow, unless it is undefined. */
  readonly operands: readonly (Operand | undefined)[]
  /** Calls and what they do. */
  readonly examples?: readonly Row[]
  /** Behind the options. */
  readonly after?: readonly string[]
  readonly exitStatus?: readonly string[]
  /** What the man page has beyond --help. */
  readonly sections?: readonly ManualSection[]
}
