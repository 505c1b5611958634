import { setTimeout as delay } from 'node:timers/promises'
import type { Forwarding, JobConnection } from '../../client/types.js'
import { SshjobError } from '../../core/errors.js'
import { OPEN_WAIT_MS, RETRY_INTERVAL_MS } from '../../core/limits.js'
import { startHelper } from '../../process/helpers.js'
import { FIND_OPTIONS } from '../arguments/engine-options.js'
import { parseArguments, refuseLateOptions, usage } from '../arguments/options.js'
import { readReach } from '../arguments/reach-options.js'
import { portOf } from '../forwarding/forward-specs.js'
import { printHelp } from '../manual/print-help.js'
import { say } from '../output/report.js'
import { createVerboseLog } from '../output/verbose-log.js'
import { openSession } from '../session/open-session.js'
import { listeningPorts, listensHere } from './listeners.js'
import { OPEN_OPTIONS } from './options.js'

/** As many ports as a sentence names. */
const MANY_PORTS = 20

/** `sshjob open JOB PORT`: a notebook or a dashboard of the job, in the browser here. */
export async function runOpenCommand(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, OPEN_OPTIONS, 'sshjob open', FIND_OPTIONS)
  const { given, operands } = parsed
  const has = (name: keyof typeof OPEN_OPTIONS): boolean => given.some((option) => option.name === name)
  if (has('help')) return printHelp(import('../manual/open.js'))
  refuseLateOptions(parsed, 'sshjob open')
  const [job, portText, ...more] = operands
  if (job === undefined || portText === undefined || more.length > 0) {
    throw usage("'sshjob open' takes a job and a port of it: sshjob open JOB PORT.", 'sshjob open')
  }
  const port = readPort(portText)
  const portHere = given.findLast(({ name }) => name === 'port')?.value
  const here = portHere === undefined ? undefined : readPort(portHere)
  const reach = readReach(given, parsed.givenMore)
  const note = has('quiet') ? () => undefined : say
  const { log } = createVerboseLog(given.filter(({ name }) => name === 'verbose').length)
  const { connection } = await openSession({ job, ...reach }, log, note)

  await untilAnswered(connection, port, {
    waitMs: has('wait') ? reach.waitMs : OPEN_WAIT_MS,
    job,
    note,
  })
  const browse = (portOfUrl: number | undefined): void => {
    const url = `http://localhost:${portOfUrl}/`
    process.stdout.write(`${url}\n`)
    if (!has('no-browser')) openBrowser(url)
  }
  if ((here ?? port) === port && (await listensHere(connection.files, port))) {
    note(`sshjob: Job ${job} shares the network of this machine: nothing needs to be forwarded.`)
    browse(port)
    await connection.close()
    return 0
  }
  const { address } = await forward(connection, port, here, note)
  browse(address.port)
  const cause = await connection.closed
  if (cause !== undefined) throw cause
  return 0
}

interface Waiting {
  waitMs: number
  job: string
  note: (sentence: string) => void
}

/** @throws SshjobError 'unreachable' with what else listens there, once the time is over */
async function untilAnswered(
  connection: JobConnection,
  port: number,
  { waitMs, job, note }: Waiting,
): Promise<void> {
  const deadline = Date.now() + waitMs
  for (let announced = false; ; announced = true) {
    if (await answers(connection, port, deadline)) return
    if (announced && Date.now() < deadline) {
      await delay(RETRY_INTERVAL_MS)
      continue
    }
    const others = describePorts(await listeningPorts(connection.files))
    if (Date.now() >= deadline) {
      throw new SshjobError(
        'unreachable',
        `Nothing answers at port ${port} of job ${job}, after ${waitMs / 1_000} s. ${others}`,
      )
    }
    note(`sshjob: Waiting for port ${port} of job ${job} to answer. ${others}`)
  }
}

/** @throws SshjobError where waiting is in vain: a starter that forbids it, a connection that is lost */
async function answers(connection: JobConnection, port: number, deadline: number): Promise<boolean> {
  const left = deadline - Date.now()
  const signal = Number.isFinite(left) ? AbortSignal.timeout(Math.max(0, left)) : undefined
  try {
    // By its name: a server may listen on one of the two families only.
    const stream = await connection.openTcp('localhost', port, signal === undefined ? {} : { signal })
    stream.on('error', () => undefined)
    stream.destroy()
    return true
  } catch (error) {
    const nobody = error instanceof SshjobError && error.code === 'channel-refused' && error.retry
    if (nobody || signal?.aborted) return false
    throw error
  }
}

function describePorts(ports: readonly number[]): string {
  if (ports.length === 0) return 'No other port of its user is listened on there.'
  const more = ports.length > MANY_PORTS ? ` and ${ports.length - MANY_PORTS} more` : ''
  return `Ports that are listened on there: ${ports.slice(0, MANY_PORTS).join(', ')}${more}.`
}

/** The same port, so that addresses that the program prints hold here as well; another where that is taken. */
async function forward(
  connection: JobConnection,
  port: number,
  here: number | undefined,
  note: (sentence: string) => void,
): Promise<Forwarding> {
  const to = { host: 'localhost', port }
  try {
    return await connection.forwardLocal({ port: here ?? port }, to)
  } catch (error) {
    if (here !== undefined || !(error instanceof SshjobError && error.code === 'unreachable')) throw error
    note(`sshjob: ${error.message} Another port is taken in its place.`)
    return connection.forwardLocal({ port: 0 }, to)
  }
}

function openBrowser(url: string): void {
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return
  // Without one, the address that was printed is all there is to give.
  startHelper('xdg-open', [url], { stdio: 'ignore', detached: true }).unref()
}

function readPort(text: string): number {
  const port = portOf(text, 1)
  if (port !== undefined) return port
  throw usage(`'${text}' is no port: a number from 1 to 65535 is.`, 'sshjob open')
}
