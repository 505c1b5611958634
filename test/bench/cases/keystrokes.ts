import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bench, Case } from '../bench.js'
import { sshArguments } from '../keys.js'
import { whenClosed } from '../processes.js'
import { inMs, type Row } from '../report.js'
import { startSshd, startTcpServer, type TcpServer, userName } from '../servers.js'
import { median, percentile } from '../statistics.js'

/** A fast typist's shortest pause would be 50: shorter, to measure more of them, and still one at a time. */
const PAUSE_MS = 5
/** The line is cleared before it wraps. */
const LINE_LENGTH = 40
const CLEAR_MS = 50
/** Others that move data through the same server at the same time, and how often each server has its turn with them. */
const TRANSFERS = 3
const TRANSFER_ROUNDS = 4
const TRANSFERS_BEGIN_MS = 1_000
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

interface TypingSide {
  shell: TypedShell
  server: TcpServer
  times: number[]
}

/** One key after the other, which shells of both servers take in turns. */
async function typeKeys(sides: readonly TypingSide[], keys: number): Promise<void> {
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
}

/** Connections of other clients, out of whose commands comes as much as they take. Resolves to what ends them. */
async function startTransfers(bench: Bench, { port }: TcpServer): Promise<() => Promise<void>> {
  const transfers = Array.from({ length: TRANSFERS }, () =>
    spawn('ssh', [...sshArguments(bench.keys, port, userName()), 'exec cat /dev/zero'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  )
  let ended: Promise<unknown> | undefined
  const end = async (): Promise<void> => {
    ended ??= Promise.all(
      transfers.map((transfer) => {
        const closed = whenClosed(transfer)
        transfer.kill('SIGKILL')
        return closed
      }),
    )
    await ended
  }
  bench.onEnd(end)
  await delay(TRANSFERS_BEGIN_MS)
  return end
}

function compareTimes(what: string, [ours, peer]: readonly TypingSide[]): Row[] {
  if (ours === undefined || peer === undefined) return []
  const row = (which: string, of: (times: number[]) => number): Row => {
    const [mine, theirs] = [ours, peer].map(({ times }) => of(times.slice(LINE_LENGTH)))
    const [a, b] = [mine ?? 0, theirs ?? 0]
    return { what: `${what}, ${which}`, ours: inMs(a), peer: inMs(b), measure: a / b, goal: { atMost: 1.2 } }
  }
  return [row('p50', median), row('p99', (times) => percentile(times, 99))]
}

export const keystrokes: Case = {
  name: 'keystrokes',
  goal: "the echo of a keystroke through a shell takes at most 1.2 of sshd's time, also while others transfer data",
  async run(bench) {
    const servers = [await startTcpServer(bench, bench.plain), await startSshd(bench)]
    const sides = servers.map((server): TypingSide => {
      return { server, shell: new TypedShell(bench, server.port), times: [] }
    })
    for (const { shell } of sides) await shell.begin()
    await typeKeys(sides, bench.rounds(2000))
    const alone = compareTimes('keystroke echo', sides)
    const busy = sides.map((side): TypingSide => ({ ...side, times: [] }))
    for (let round = 0; round < TRANSFER_ROUNDS; round++) {
      for (const side of round % 2 === 0 ? busy : [...busy].reverse()) {
        const end = await startTransfers(bench, side.server)
        await typeKeys([side], bench.rounds(1000) / TRANSFER_ROUNDS)
        await end()
      }
    }
    return [...alone, ...compareTimes(`keystroke echo while ${TRANSFERS} transfers run`, busy)]
  },
}
