import { existsSync } from 'node:fs'
import type { Duplex, Readable, Writable } from 'node:stream'
import { SshjobError } from '../../core/errors.js'
import { silent } from '../../core/log.js'
import { addKnownHost } from '../../engines/known-hosts.js'
import { listLocalJobs } from '../../engines/local/local-jobs.js'
import { ensureIdentities, type KeyMakers, type OpensshFiles, opensshFiles } from '../../engines/openssh.js'
import { openFirst, resolveJob } from '../../engines/resolve-job.js'
import { sendClientHello } from '../../hello/exchange.js'
import { openStdio } from '../../streams/stdio.js'
import { parseArguments, usage } from '../arguments/options.js'
import { printHelp } from '../manual/print-help.js'
import { DEFAULT_SUFFIX, PROXY_OPTIONS } from './options.js'

const PROGRAM = 'sshjob proxy'

/**
 * `sshjob proxy JOB`: carries SSH between a client that speaks it on our stdin and stdout, and the job. It says the
 * hello for it, and makes it trust the keys that the server has for this session.
 */
export async function runProxyCommand(args: readonly string[]): Promise<number> {
  const { given, operands } = parseArguments(args, PROXY_OPTIONS, PROGRAM)
  const last = (wanted: keyof typeof PROXY_OPTIONS) => given.findLast(({ name }) => name === wanted)
  if (last('help') !== undefined) return printHelp(import('../manual/proxy.js'))
  const [host] = operands
  if (host === undefined || operands.length > 1)
    throw usage("'sshjob proxy' takes the name of one job.", PROGRAM)
  const suffix = last('host-suffix')?.value ?? DEFAULT_SUFFIX
  const name = suffix !== '' && host.endsWith(suffix) ? host.slice(0, -suffix.length) : host
  const opening = openStream(name, last('proxy-command')?.value)
  const [stream, files] = await Promise.all([opening, opensshFiles(last('keys')?.value)])
  try {
    const stdio = openStdio()
    const [publicKey, ...morePublicKeys] = await ensureIdentities(files, await keyMakers(files))
    const { hostKey, moreHostKeys = [] } = await sendClientHello(stream, { publicKey, morePublicKeys })
    if (hostKey === undefined) throw new SshjobError('hello-invalid', 'The server did not name its host key.')
    await addKnownHost(files.knownHosts, host, [hostKey, ...moreHostKeys])
    await carry(stream, stdio)
    return 0
  } finally {
    stream.destroy()
  }
}

async function openStream(name: string, proxyCommand: string | undefined): Promise<Duplex> {
  if (proxyCommand === undefined) return openHost(name)
  const { openThroughCommand } = await import('../session/open-session.js')
  return openThroughCommand(proxyCommand, name, silent)
}

/** The job that a host name means. OpenSSH writes host names in small letters, job ids may have capital ones. */
async function openHost(name: string): Promise<Duplex> {
  try {
    return await openPlain(name)
  } catch (error) {
    if (!(error instanceof SshjobError) || error.code !== 'job-not-found') throw error
    const [job, another] = (await listLocalJobs()).filter(({ id }) => id.toLowerCase() === name)
    if (job === undefined || another !== undefined) throw error
    return openPlain(job.id)
  }
}

/** @throws SshjobError 'usage' for a job to which no stock client can be carried */
async function openPlain(name: string): Promise<Duplex> {
  return openFirst(resolveJob(name), async (address, elsewhere) => {
    if (address.noStockClient !== undefined) throw new SshjobError('usage', address.noStockClient)
    return (await address.open({ elsewhere })).stream
  })
}

/** Only the first proxy of a user needs keys to be made, and what makes them. */
async function keyMakers({ identities }: OpensshFiles): Promise<KeyMakers> {
  if (identities.some((identity) => !existsSync(identity))) {
    const { generateEcdsaKey, generateKey } = await import('../../ssh/keys.js')
    return { ed25519: generateKey, ecdsa: generateEcdsaKey }
  }
  const removed = (): never => {
    throw new SshjobError('internal', 'A key was removed just now: try again.', { retry: true })
  }
  return { ed25519: removed, ecdsa: removed }
}

/**
 * Copies bytes both ways, with back-pressure and half-close, until the server's side is closed and all of its bytes
 * are with the client. How the connection fails is the client's to tell: it sees the end.
 */
export async function carry(
  stream: Duplex,
  { input, output }: { input: Readable; output: Writable },
): Promise<void> {
  const written = new Promise<void>((resolve) => {
    output.once('finish', resolve)
    output.once('close', resolve)
  })
  const closed = new Promise<void>((resolve) => {
    stream.once('close', resolve)
  })
  input.on('error', () => stream.end())
  output.on('error', () => stream.destroy())
  stream.on('error', () => stream.destroy())
  stream.once('close', () => output.end())
  input.pipe(stream)
  stream.pipe(output)
  await Promise.all([closed, written])
}
