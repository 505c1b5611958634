import { copyFileSync, cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { MODIFIED_S } from './assemble.mjs'
import { packInto } from './npm-packages.mjs'
import { run } from './run.mjs'

/**
 * An archive of the directory, under a top directory of the archive's own name.
 * @param {string} directory
 * @param {string} target NAME.tar.gz
 */
export function packTar(directory, target) {
  const name = basename(target, '.tar.gz')
  const from = basename(directory)
  const tar = target.replace(/\.gz$/, '')
  const uniform = ['--sort=name', `--mtime=@${MODIFIED_S}`, '--owner=0', '--group=0', '--numeric-owner']
  const options = [...uniform, '--format=ustar', `--transform=s,^${from.replaceAll('.', '\\.')},${name},`]
  run('tar', [...options, '-cf', tar, '-C', dirname(directory), from])
  // Not its name, and not when: gzip(1), -n.
  run('gzip', ['-9nf', tar])
}

/**
 * The package of npm for this platform. It has no install script: npm chooses it by `os` and `cpu`.
 * @param {{ directory: string, bom: string, name: string, version: string, arch: string, readme: string, target: string }} of
 *   `bom` is a file, `target` the archive that npm would make of the package
 */
export function packNpm({ directory, bom, name, version, arch, readme, target }) {
  const staged = mkdtempSync(join(dirname(target), '.npm-'))
  try {
    const manifest = {
      name,
      version,
      description: `What sshjob needs to enter containers that have nothing in them: Node.js and its libraries, for linux-${arch}.`,
      license: 'MIT AND LGPL-2.1-or-later AND GPL-2.0-only AND (GPL-3.0-or-later WITH GCC-exception-3.1)',
      os: ['linux'],
      cpu: [arch],
      files: ['shim', basename(bom)],
      // For Yarn: programs can't be run out of an archive.
      preferUnplugged: true,
    }
    writeFileSync(join(staged, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    writeFileSync(join(staged, 'README.md'), readme)
    copyFileSync(bom, join(staged, basename(bom)))
    cpSync(directory, join(staged, 'shim'), { recursive: true })
    renameSync(packInto(staged, join(staged, 'out')), target)
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
}
