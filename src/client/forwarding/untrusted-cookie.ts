import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { endSentence, firstLine, messageOf, SshjobError, systemCode } from '../../core/errors.js'
import { X11_UNTRUSTED_RENEWAL_MS, X11_UNTRUSTED_S, XAUTH_TIMEOUT_MS } from '../../core/limits.js'
import { temporaryDirectory } from '../../core/path-safety.js'
import { askHelper } from '../../process/helpers.js'
import type { X11Display } from './x11-display.js'
import { MIT_MAGIC_COOKIE } from './x11-setup.js'
import { lastCookie } from './xauthority.js'

/**
 * Cookies with which programs are let in and not trusted: they can't read what is typed into others, nor what others
 * show (the X server's SECURITY extension). As ssh(1) -X has them, made by xauth(1), each good for X11_UNTRUSTED_S; unlike
 * with ssh, another one is made when a program comes later.
 * @throws SshjobError 'no-display' where there are none; so does what it gives
 */
export async function untrustedCookies(display: X11Display): Promise<() => Promise<Buffer>> {
  let made = await makeCookie(display)
  let since = Date.now()
  return async () => {
    if (Date.now() - since > X11_UNTRUSTED_RENEWAL_MS) {
      made = await makeCookie(display)
      since = Date.now()
    }
    return made
  }
}

async function makeCookie({ display, authorityFile }: X11Display): Promise<Buffer> {
  const directory = await mkdtemp(join(await temporaryDirectory(), 'sshjob-'))
  try {
    const file = join(directory, 'Xauthority')
    const words = ['generate', display, MIT_MAGIC_COOKIE, 'untrusted', 'timeout', String(X11_UNTRUSTED_S)]
    // It says so where there is none.
    await writeFile(file, '', { mode: 0o600, flag: 'wx' })
    const why = await runXauth(['-q', '-f', file, ...words], authorityFile)
    const cookie = why === undefined ? lastCookie(await readFile(file)) : undefined
    if (cookie !== undefined) return cookie
    throw refused(display, why ?? 'xauth made no cookie')
  } catch (error) {
    throw error instanceof SshjobError ? error : refused(display, messageOf(error), error)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Why it failed; undefined where it did not. */
function runXauth(args: readonly string[], authorityFile: string | undefined): Promise<string | undefined> {
  const env = authorityFile === undefined ? process.env : { ...process.env, XAUTHORITY: authorityFile }
  return new Promise((resolve) => {
    const limits = { timeout: XAUTH_TIMEOUT_MS, killSignal: 'SIGKILL' } as const
    const child = askHelper('xauth', [...args], { ...limits, env }, (error, _stdout, stderr) => {
      if (error === null) resolve(undefined)
      else if (systemCode(error) === 'ENOENT') resolve('there is no xauth here, which makes its cookie')
      else if (error.killed) resolve(`xauth did not end within ${XAUTH_TIMEOUT_MS / 1_000} s`)
      // 'xauth: (argv):1:  couldn't query Security extension on display ":0"'
      else resolve(firstLine(stderr.replaceAll(/^xauth:\s*(?:\(argv\):\d+:)?\s*/gm, '')) ?? messageOf(error))
    })
    child.stdin?.on('error', () => undefined).end()
  })
}

function refused(display: string, why: string, cause?: unknown): SshjobError {
  return new SshjobError(
    'no-display',
    endSentence(`Programs of the job get no access to the display ${display} without being trusted: ${why}`),
    { cause },
  )
}
