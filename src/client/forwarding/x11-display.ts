import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { SshjobError, systemCode } from '../../core/errors.js'
import { X11_FIRST_PORT } from '../../core/limits.js'
import { connectTcp } from '../../sockets/tcp.js'
import { connectUnix } from '../../sockets/unix.js'
import { findCookie } from './xauthority.js'

/** A display of X11 here. */
export interface X11Display {
  /** As in DISPLAY: ':0', 'localhost:10.0', 'host:1'. */
  display: string
  /** The file with the cookies of displays. Default: XAUTHORITY, else ~/.Xauthority. */
  authorityFile?: string
  /**
   * True: programs of the job may do there what programs here do, reading keys and windows of others included, as with
   * ssh -Y. Default: false, as with ssh -X; needs xauth(1) here and the display's SECURITY extension.
   */
  trusted?: boolean
}

/** Where a display is. Without a host: on this machine's unix socket. */
interface DisplayName {
  host: string | undefined
  number: number
  screen: number
}

/**
 * Reads a name of X(7), DISPLAY NAMES.
 * @throws SshjobError 'usage'
 */
export function parseDisplay(text: string): DisplayName {
  const groups = /^(?<host>.*):(?<number>\d{1,5})(\.(?<screen>\d{1,5}))?$/.exec(text)?.groups
  const number = Number(groups?.number)
  if (groups?.host === undefined || X11_FIRST_PORT + number > 65_535) {
    throw new SshjobError('usage', `'${text}' is no display of X11: write :NUMBER or HOST:NUMBER, as in :0.`)
  }
  const host = groups.host.replace(/^\[(.*)\]$/, '$1')
  return {
    host: host === '' || host === 'unix' ? undefined : host,
    number,
    screen: Number(groups.screen ?? 0),
  }
}

/**
 * Connects to a display, and looks up what it is to be told; undefined where no file has a cookie for it: the display
 * may let us in all the same.
 * @param own to be told instead
 * @throws SshjobError 'unreachable'
 */
export async function openDisplay(
  { display, authorityFile = defaultAuthorityFile() }: X11Display,
  own?: Buffer,
): Promise<{ socket: Socket; cookie: Buffer | undefined }> {
  const { host, number } = parseDisplay(display)
  const entries = own === undefined ? await readIfThere(authorityFile) : Buffer.alloc(0)
  const socket = await (host === undefined
    ? connectUnix(`/tmp/.X11-unix/X${number}`)
    : connectTcp(host, X11_FIRST_PORT + number))
  socket.on('error', () => undefined)
  const address = host === undefined ? undefined : socket.remoteAddress
  return { socket, cookie: own ?? findCookie(entries, { number, address, hostname: hostname() }) }
}

function defaultAuthorityFile(): string {
  const { XAUTHORITY } = process.env
  return XAUTHORITY === undefined || XAUTHORITY === '' ? join(homedir(), '.Xauthority') : XAUTHORITY
}

async function readIfThere(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    // None, or none that we may read: as a program of X here, we go without.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return Buffer.alloc(0)
    throw error
  }
}
