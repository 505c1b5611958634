// npm run release [-- OPTIONS of npm run shim]: makes what is published, and publishes nothing. The package sshjob names
// those of the shims as optional dependencies, of just its version, and so does not in a checkout: `npm ci` there must
// not ask the registry for packages that are made of it.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { npm, unpackNpmPackage } from './npm-packages.mjs'
import { ARCHITECTURES } from './pins.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** @returns {string} the archive of sshjob itself, with the shims as optional dependencies */
function packSshjob(out, version) {
  const work = mkdtempSync(join(out, '.sshjob-'))
  const packInto = (name, directory) => {
    const target = join(work, name)
    mkdirSync(target)
    npm(['pack', directory, '--ignore-scripts', '--loglevel=error', '--pack-destination', target], {
      cwd: root,
    })
    return join(target, readdirSync(target)[0] ?? '')
  }
  try {
    const plain = unpackNpmPackage(packInto('first', root), join(work, 'package'))
    const file = join(plain, 'package.json')
    const { scripts: _, devDependencies: __, ...manifest } = JSON.parse(readFileSync(file, 'utf8'))
    const optionalDependencies = Object.fromEntries(
      ARCHITECTURES.map((arch) => [`sshjob-shim-linux-${arch}`, version]),
    )
    writeFileSync(file, `${JSON.stringify({ ...manifest, optionalDependencies }, null, 2)}\n`)
    const target = join(out, `sshjob-${version}.tgz`)
    renameSync(packInto('second', plain), target)
    return target
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const { values } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'container-shim/dist') } },
  strict: false,
})
const out = resolve(values.out)
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const built = spawnSync(
  process.execPath,
  [join(root, 'container-shim/build.mjs'), '--arch', 'all', ...process.argv.slice(2)],
  { stdio: 'inherit' },
)
if (built.status === 0) {
  const archives = [
    ...ARCHITECTURES.map((arch) => join(out, `sshjob-shim-linux-${arch}-${version}.tgz`)),
    packSshjob(out, version),
  ]
  console.log(`\nTo be published in this order, so that what sshjob names is there, and is ours:`)
  for (const archive of archives) console.log(`  npm publish ${archive}`)
} else process.exitCode = 1
