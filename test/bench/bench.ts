import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { bundle } from '../helpers/bundle.js'
import { addNativeCiphers, copyInstallation, type Installation } from './installation.js'
import { type Keys, makeKeys } from './keys.js'
import type { Row } from './report.js'

/** One thing to measure. */
export interface Case {
  name: string
  /** What is measured and what it should be, in a sentence. */
  goal: string
  run(bench: Bench): Promise<Row[]>
}

export interface Options {
  quick: boolean
  /** Where --cpu-prof of our servers and clients goes. */
  profile: string | undefined
}

/** What the cases work with: a private folder, keys, installations, and the end of it all. */
export class Bench {
  readonly directory: string
  /** An empty home for the sessions of both servers: what a user's ~/.bashrc takes is not what is measured. */
  readonly home: string
  readonly keys: Keys
  readonly plain: Installation
  readonly #options: Options
  readonly #ends: (() => Promise<void>)[] = []
  #native: Promise<Installation | { reason: string }> | undefined
  #closing: Promise<void> | undefined
  readonly #programs = new Map<string, Promise<string>>()

  private constructor(directory: string, keys: Keys, plain: Installation, options: Options) {
    this.directory = directory
    this.home = path.join(directory, 'home')
    this.keys = keys
    this.plain = plain
    this.#options = options
  }

  static async open(options: Options): Promise<Bench> {
    // Short, since unix sockets go below it: their paths have 107 bytes, unix(7).
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), 'sj-bench-'))
    try {
      process.env.SSHJOB_RUNTIME_DIR = path.join(directory, 'sshjob')
      // Node.js reads them whenever it starts, for twice as long as it takes otherwise: they are this machine's, not ours.
      delete process.env.NODE_EXTRA_CA_CERTS
      await fs.mkdir(path.join(directory, 'home'))
      const plain = await copyInstallation(process.cwd(), path.join(directory, 'plain'))
      return new Bench(directory, await makeKeys(directory), plain, options)
    } catch (error) {
      await fs.rm(directory, { recursive: true, force: true })
      throw error
    }
  }

  /** This many times, or fewer with --quick. */
  rounds(full: number): number {
    return this.#options.quick ? Math.max(3, Math.round(full / 5)) : full
  }

  /** This many bytes, or fewer with --quick. */
  bytes(full: number): number {
    return this.#options.quick ? full / 4 : full
  }

  get profileArguments(): string[] {
    const { profile } = this.#options
    return profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  }

  /** The product with ssh2's native ciphers, compiled at the first call; or why there are none. */
  native(): Promise<Installation | { reason: string }> {
    this.#native ??= this.#makeNative()
    return this.#native
  }

  /** One of the programs beside this file, made ready to start fast: node runs it. */
  program(name: 'delay-proxy' | 'library-client' | 'tcp-server'): Promise<string> {
    const known = this.#programs.get(name)
    if (known !== undefined) return known
    const made = bundle(`import './test/bench/${name}.ts'`, this.directory, name)
    this.#programs.set(name, made)
    return made
  }

  /** Called in the opposite order, after the case. */
  onEnd(end: () => Promise<void>): void {
    this.#ends.push(end)
  }

  async endCase(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.endCase()
    // A shell that was hung up may still be writing its history.
    await fs.rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  async #makeNative(): Promise<Installation | { reason: string }> {
    console.error("Compiling ssh2's native ciphers …")
    const target = path.join(this.directory, 'native')
    const installation = await copyInstallation(process.cwd(), target)
    const reason = await addNativeCiphers(target)
    return reason === undefined ? installation : { reason }
  }
}
