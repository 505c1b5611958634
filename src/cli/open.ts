import { setTimeout as delay } from 'node:timers/promises'
import type { Forwarding, JobConnection } from '../client/types.js'
import { SshjobError } from '../core/errors.js'
import { RETRY_INTERVAL_MS } from '../core/limits.js'
import { startHelper } from '../process/helpers.js'
import { openSession } from './open-session.js'
import { describeOptions, type OptionTable, parseArguments, usage } from './options.js'
import { REACH_OPTIONS, readReach } from './reach-options.js'
import { say } from './report.js'
import { createVerboseLog } from './verbose-log.js'

const OPTIONS = {
  port: { short: 'p', value: 'PORT', help: 'the port here (default: the same, or any that is free)' },
  'no-browser': { help: 'open no browser' },
  ...REACH_OPTIONS,
  quiet: { short: 'q', help: 'no notes, only the address and errors' },
  verbose: { short: 'v', help: 'say what happens to the connection' },
  help: { short: 'h', help: 'print this' },
} satisfies OptionTable<string>

/** `sshjob open JOB PORT`: a notebook or a dashboard of the job, in the browser here. */
export async function runOpenCommand(args: readonly string[]): Promise<number> {
  const { given, operands } = parseArguments(args, OPTIONS)
  const has = (name: keyof typeof OPTIONS): boolean => given.some((option) => option.name === name)
  if (has('help')) {
    process.stdout.write(helpText())
    return 0
  }
  const [job, portText, ...more] = operands
  if (job === undefined || portText === undefined || more.length > 0) {
    throw usage("'sshjob open' takes a job and a port of it: sshjob open JOB PORT.")
  }
  const port = readPort(portText)
  const portHere = given.findLast(({ name }) => name === 'port')?.value
  const here = portHere === undefined ? undefined : readPort(portHere)
  const note = has('quiet') ? () => undefined : say
  const { log } = createVerboseLog(given.filter(({ name }) => name === 'verbose').length)
  const connection = await openSession({ job, ...readReach(given) }, log, note)

  await untilAnswered(connection, port, () =>
    note(`sshjob: Waiting for port ${port} of job ${job} to answer.`),
  )
  const { address } = await forward(connection, port, here)
  const url = `http://localhost:${address.port}/`
  process.stdout.write(`${url}\n`)
  if (!has('no-browser')) openBrowser(url)
  const cause = await connection.closed
  if (cause !== undefined) throw cause
  return 0
}

async function untilAnswered(connection: JobConnection, port: number, announce: () => void): Promise<void> {
  for (let announced = false; ; announced = true) {
    try {
      // By its name: a server may listen on one of the two families only.
      const stream = await connection.openTcp('localhost', port)
      stream.on('error', () => undefined)
      stream.destroy()
      return
    } catch (error) {
      if (!(error instanceof SshjobError && error.code === 'channel-refused' && error.retry)) throw error
      if (!announced) announce()
      await delay(RETRY_INTERVAL_MS)
    }
  }
}

/** The same port, so that addresses that the program prints hold here as well; another where that is taken. */
async function forward(
  connection: JobConnection,
  port: number,
  here: number | undefined,
): Promise<Forwarding> {
  const to = { host: 'localhost', port }
  try {
    return await connection.forwardLocal({ port: here ?? port }, to)
  } catch (error) {
    if (here !== undefined || !(error instanceof SshjobError && error.code === 'unreachable')) throw error
    return connection.forwardLocal({ port: 0 }, to)
  }
}

function openBrowser(url: string): void {
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return
  // Without one, the address that was printed is all there is to give.
  startHelper('xdg-open', [url], { stdio: 'ignore', detached: true }).unref()
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw usage(`'${text}' is no port: a number from 1 to 65535 is.`)
}

function helpText(): string {
  return `Usage: sshjob open [options] JOB PORT

Waits until PORT of the job answers, forwards it, prints its address here, and opens
the browser if there is one. Stays until Ctrl-C, or until the job ends.

${describeOptions(OPTIONS)}`
}
