// npm run release [-- OPTIONS of npm run shim]: makes what is published, and publishes nothing.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { packSshjob } from './pack-sshjob.mjs'
import { ARCHITECTURES } from './pins.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { values } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'container-shim/dist') } },
  strict: false,
})
const build = [join(root, 'container-shim/build.mjs'), '--arch', 'all', ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, build, { stdio: 'inherit' })
if (status === 0) {
  const out = resolve(values.out)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const shims = ARCHITECTURES.map((arch) => join(out, `sshjob-shim-linux-${arch}-${version}.tgz`))
  console.log('\nTo be published in this order, so that what sshjob names is there before, and is ours:')
  for (const archive of [...shims, packSshjob(root, out)]) console.log(`  npm publish ${archive}`)
} else process.exitCode = status ?? 1
