import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bench, Case } from '../bench.js'
import { sshArguments } from '../keys.js'
import { whenClosed } from '../processes.js'
import { inMs, type Row } from '../report.js'
import { startSshd, startTcpServer, userName } from '../servers.js'
import { median, percentile } from '../statistics.js'

/** A fast typist's shortest pause would be 50: shorter, to measure more of them, and still one at a time. */
const PAUSE_MS = 5
/** The line is cleared before it wraps. */
const LINE_LENGTH = 40
const CLEAR_MS = 50
const SHELL = 'exec bash --norc --noprofile -i'

/** A shell on a terminal, through OpenSSH's client, that keys are typed into. */
class TypedShell {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  #heard = ''
  #listener: (() => void) | undefined

  constructor(bench: Bench, port: number) {
    const args = ['-tt', ...sshArguments(bench.keys, port, userName()), SHELL]
    this.#child = spawn('ssh', args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm' },
    })
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1')
      this.#listener?.()
    })
    bench.onEnd(async () => {
      const closed = whenClosed(this.#child)
      this.#child.kill('SIGTERM')
      await closed
    })
  }

  /** Types, and resolves as soon as the shell's answer holds this text. */
  type(keys: string, answer: string): Promise<void> {
    this.#heard = ''
    return new Promise((resolve) => {
      this.#listener = () => {
        if (this.#heard.includes(answer)) resolve()
      }
      this.#child.stdin.write(keys)
    })
  }

  /** Ctrl-U: what the shell draws then depends on the terminal, but has no small letters in it. */
  async clearLine(): Promise<void> {
    this.#child.stdin.write('\x15')
    await delay(CLEAR_MS)
  }

  async begin(): Promise<void> {
    // In two parts, so that the echo of the line is not taken for its output.
    await this.type("PS1='> '; echo rea''dy\n", 'ready\r\n')
  }
}

export const keystrokes: Case = {
  name: 'keystrokes',
  goal: "the echo of a keystroke through a shell takes at most 1.2 of sshd's time",
  async run(bench) {
    const sshd = await startSshd(bench)
    const server = await startTcpServer(bench, bench.plain)
    const sides = [new TypedShell(bench, server.port), new TypedShell(bench, sshd.port)].map((shell) => ({
      shell,
      times: [] as number[],
    }))
    for (const { shell } of sides) await shell.begin()
    const keys = bench.rounds(2000)
    for (let key = 0; key < keys; key++) {
      const letter = String.fromCharCode(97 + (key % 26))
      for (const { shell, times } of key % 2 === 0 ? sides : [...sides].reverse()) {
        const start = performance.now()
        await shell.type(letter, letter)
        times.push(performance.now() - start)
        await delay(PAUSE_MS)
        if (key % LINE_LENGTH === LINE_LENGTH - 1) await shell.clearLine()
      }
    }
    const [ours, peer] = sides.map(({ times }) => times.slice(LINE_LENGTH))
    if (ours === undefined || peer === undefined) return []
    const row = (what: string, of: (times: number[]) => number): Row => ({
      what,
      ours: inMs(of(ours)),
      peer: inMs(of(peer)),
      measure: of(ours) / of(peer),
      goal: { atMost: 1.2 },
    })
    return [row('keystroke echo, p50', median), row('keystroke echo, p99', (times) => percentile(times, 99))]
  },
}
