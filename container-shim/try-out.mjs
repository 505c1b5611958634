import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Loads both addons, opens nothing, and says which Node.js this is. */
const PROBE = `
const load = require('node:module').createRequire(process.argv[1] + '/programs/')
if (typeof load('node-pty').native.open !== 'function') throw new Error('node-pty has no addon')
const self = load('koffi').load(null).func('int getpid()')
if (self() !== process.pid) throw new Error('koffi calls something else')
process.stdout.write(process.version)
`
const LIMIT_MS = 60_000
const QEMU = { x64: 'qemu-x86_64-static', arm64: 'qemu-aarch64-static' }

/**
 * Runs what was made, from where it lies now, with nothing of this process' environment.
 * @param {string} directory
 * @param {import('./pins.mjs').Architecture} arch
 * @returns {string | undefined} why it could not be tried
 */
export function tryOut(directory, arch) {
  const { loader, node, version } = JSON.parse(readFileSync(join(directory, 'shim.json'), 'utf8'))
  const foreign = arch === process.arch ? [] : [QEMU[arch]]
  const start = (args) => {
    const [command, ...before] = [
      ...foreign,
      join(directory, loader),
      '--library-path',
      join(directory, 'lib'),
      join(directory, 'bin/node'),
    ]
    const preserve = ['--preserve-symlinks', '--preserve-symlinks-main']
    return spawnSync(command, [...before, ...preserve, ...args], {
      cwd: '/',
      env: {},
      timeout: LIMIT_MS,
      encoding: 'utf8',
    })
  }
  const probe = start(['-e', PROBE, directory])
  if (probe.error?.code === 'ENOENT' && foreign.length > 0) return `${foreign[0]} is not installed`
  expect(probe, `v${node}`)
  expect(start([join(directory, 'sshjob-server.cjs'), '--version']), `sshjob-server ${version}\n`)
  return undefined
}

function expect({ error, status, signal, stdout, stderr }, wanted) {
  if (error) throw error
  if (status === 0 && stdout === wanted) return
  throw new Error(
    `What was built doesn't run (${signal ?? `exit status ${status}`}): it should say ${JSON.stringify(wanted)}, and says ${JSON.stringify(stdout)}.\n${stderr}`,
  )
}
