import { closeSync, constants, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ownModule } from '../core/own-module.js'
import { keepFromChildren } from './descriptors.js'
import { check, libc } from './libc.js'
import { SystemError } from './system-error.js'
import { clampSize, setSize, type TerminalSize } from './termios.js'

/** Both sides of a pseudo-terminal, pty(7). The master does not block, the slave does, and no child has either. */
export interface Pty {
  readonly master: number
  readonly slave: number
  /** The slave's path, /dev/pts/N */
  readonly name: string
  resize(size: TerminalSize): void
}

/** The part of node-pty's addon that is used: openpty(3), and the ioctl for the size. */
interface Addon {
  open(columns: number, rows: number): { master: number; slave: number; pty: string }
  resize(master: number, columns: number, rows: number, width: number, height: number): void
}

const NAME_BYTES = 128

function isAddon(value: unknown): value is Addon {
  if (typeof value !== 'object' || value === null || !('open' in value) || !('resize' in value)) return false
  return typeof value.open === 'function' && typeof value.resize === 'function'
}

/**
 * node-pty's addon. Undefined where it has no build: it is made for glibc on x64 and arm64, and on musl, loading what is
 * made for glibc would end this process. There, the calls that it makes are ours.
 */
function loadAddon(): Addon | undefined {
  if (!libc().isGlibc) return undefined
  const directory = ownModule('node-pty', import.meta.url)
  if (directory === undefined) return undefined
  let module: unknown
  try {
    module = createRequire(import.meta.url)(directory)
  } catch {
    return undefined
  }
  const addon =
    typeof module === 'object' && module !== null && 'native' in module ? module.native : undefined
  return isAddon(addon) ? addon : undefined
}

let loaded: { addon: Addon | undefined } | undefined

/** Opens a pseudo-terminal. @throws Error, SystemError: whatever keeps it from being opened */
export function openPty(size: TerminalSize): Pty {
  loaded ??= { addon: loadAddon() }
  const { addon } = loaded
  return addon === undefined ? openByLibc() : openByAddon(addon, size)
}

function openByAddon(addon: Addon, size: TerminalSize): Pty {
  const { columns, rows } = clampSize(size)
  const { master, slave, pty } = addon.open(columns, rows)
  try {
    return withSlave(master, pty, (changed) => {
      const { columns, rows, width, height } = clampSize(changed)
      addon.resize(master, columns, rows, width, height)
    })
  } catch (error) {
    closeSync(master)
    throw error
  } finally {
    // Its description does not block, as the master's does not: the one that withSlave() has opened is another.
    closeSync(slave)
  }
}

function openByLibc(): Pty {
  const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK
  const master = check(libc().posixOpenpt(flags), 'posix_openpt')
  try {
    check(libc().grantpt(master), 'grantpt')
    check(libc().unlockpt(master), 'unlockpt')
    return withSlave(master, nameOf(master), (size) => setSize(master, size))
  } catch (error) {
    closeSync(master)
    throw error
  }
}

/** The path of its slave. @throws SystemError */
function nameOf(master: number): string {
  const name = Buffer.alloc(NAME_BYTES)
  const error = libc().ptsname(master, name, NAME_BYTES)
  if (error !== 0) throw new SystemError(error, 'ptsname')
  return name.toString('latin1', 0, name.indexOf(0))
}

function withSlave(master: number, name: string, resize: (size: TerminalSize) => void): Pty {
  keepFromChildren(master)
  return { master, slave: openSync(name, constants.O_RDWR | constants.O_NOCTTY), name, resize }
}
