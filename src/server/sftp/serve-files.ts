import type { Duplex, Readable, Writable } from 'node:stream'
import { messageOf } from '../../core/errors.js'
import { EXIT_FAILURE } from '../../core/exit-failure.js'
import type { FileStream } from '../../job/inside.js'
import { copyOutput } from '../copy-output.js'
import { type SftpOptions, type SftpSession, serveSftp } from './serve-sftp.js'

/** Serves SFTP on two streams of bytes: by a process that is there for it, or else in this one. */
export function serveFiles(input: Readable, output: Writable, options: SftpOptions): SftpSession {
  return options.files.serve === undefined
    ? serveSftp(input, output, options)
    : new HandedOn(input, output, options)
}

class HandedOn implements SftpSession {
  readonly ended: Promise<number>
  #isOver = false
  #stream: Duplex | undefined
  #own: SftpSession | undefined

  constructor(input: Readable, output: Writable, options: SftpOptions) {
    this.ended = this.#run(input, output, options)
  }

  async terminate(): Promise<void> {
    this.#isOver = true
    this.#stream?.destroy()
    await this.#own?.terminate()
  }

  async #run(input: Readable, output: Writable, options: SftpOptions): Promise<number> {
    const { files, log } = options
    const open = async (): Promise<FileStream | undefined> =>
      files.serve?.({ directory: files.directory, home: files.home })
    const served = await open().catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, 'files are served in this process')
      return undefined
    })
    if (served === undefined) {
      if (this.#isOver) return EXIT_FAILURE
      this.#own = serveSftp(input, output, options)
      return this.#own.ended
    }
    this.#stream = served.stream
    if (this.#isOver) served.stream.destroy()
    served.stream.on('error', (error) => log.debug({ err: error }, 'the process that serves files has gone'))
    handOn(input, served.stream)
    const [exitCode] = await Promise.all([served.ended, copyOutput(served.stream, output)])
    return exitCode
  }
}

/** Copies to the end. What arrives in one turn of the event loop leaves in one system call. */
function handOn(input: Readable, stream: Duplex): void {
  let isCorked = false
  input.on('data', (chunk: Buffer) => {
    if (!isCorked) {
      isCorked = true
      stream.cork()
      process.nextTick(() => {
        isCorked = false
        stream.uncork()
      })
    }
    if (!stream.write(chunk)) input.pause()
  })
  stream.on('drain', () => input.resume())
  input.on('end', () => stream.end())
  // Without an end, the client has gone.
  input.on('close', () => {
    if (!input.readableEnded) stream.destroy()
  })
  stream.on('close', () => input.destroy())
}
