import { existsSync } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import { read, run } from './processes.js'

/** A folder with the product as a user has it: dist, and the packages that it needs. */
export interface Installation {
  readonly sshjob: string
  readonly server: string
  readonly library: string
}

/** For npm; the bench goes without. */
const { NODE_EXTRA_CA_CERTS } = process.env
const BINDING = 'node_modules/ssh2/lib/protocol/crypto/build'

/** Npm as the one that runs us, if one does: another may be first in PATH. */
function npm(): [command: string, args: string[]] {
  const running = process.env.npm_execpath
  return running?.endsWith('npm-cli.js') ? [process.execPath, [running]] : ['npm', []]
}

/** Copies the product from the checkout: nothing in there is changed, and its changes don't reach us. */
export async function copyInstallation(root: string, target: string): Promise<Installation> {
  const [command, args] = npm()
  const list = [...args, 'ls', '--omit=dev', '--all', '--parseable', '--loglevel=error']
  const packages = (await read(command, list, { cwd: root })).split('\n').slice(1).filter(Boolean)
  for (const source of ['package.json', 'dist', ...packages.map((folder) => path.relative(root, folder))]) {
    await fs.cp(path.join(root, source), path.join(target, source), { recursive: true })
  }
  await fs.rm(path.join(target, BINDING), { recursive: true, force: true })
  return describe(target)
}

/** Compiles ssh2's ciphers into a copy. Returns the reason if that can't be done. */
export async function addNativeCiphers(target: string): Promise<string | undefined> {
  const [command, args] = npm()
  // node-gyp would fetch the headers of Node.js; they often lie beside it.
  const prefix = path.dirname(path.dirname(process.execPath))
  const headers = existsSync(path.join(prefix, 'include/node/node.h')) ? { npm_config_nodedir: prefix } : {}
  try {
    await run(command, [...args, 'rebuild', '--ignore-scripts=false', 'ssh2'], {
      cwd: target,
      env: { ...process.env, NODE_EXTRA_CA_CERTS, ...headers },
    })
    const check = "process.exit(require('ssh2/lib/protocol/crypto.js').bindingAvailable ? 0 : 1)"
    await run(process.execPath, ['-e', check], { cwd: target })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Where its package.json says that the programs are. */
async function describe(folder: string): Promise<Installation> {
  const file = (name: string): string => path.join(folder, name)
  const { bin }: { bin: Record<string, string> } = JSON.parse(await fs.readFile(file('package.json'), 'utf8'))
  const { sshjob, 'sshjob-server': wrapper } = bin
  if (sshjob === undefined || wrapper === undefined)
    throw new Error('package.json does not name the programs.')
  // The server itself, which a script for sh starts: what it takes is what is measured.
  return { sshjob: file(sshjob), server: file(`${wrapper}.cjs`), library: file('dist/index.js') }
}
