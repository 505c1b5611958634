import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const DOWNLOADS = join(process.env.SSHJOB_TEST_CACHE ?? '/var/cache/sshjob-test', 'shim')
const BUILD = 'container-shim/build.mjs'
const PINS = 'container-shim/pins.json'

/** scripts/test.mjs takes them out of the way. */
const NODE_EXTRA_CA_CERTS = process.env.SSHJOB_TEST_CERTIFICATES ?? ''

const build = (...options) =>
  spawnSync(process.execPath, [BUILD, ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_EXTRA_CA_CERTS },
  })

function must({ status, stdout, stderr }) {
  if (status !== 0) throw new Error(stderr)
  console.error(stdout.trim())
}

/**
 * Builds the shims that all files use: SSHJOB_TEST_SHIMS names their directory, SSHJOB_TEST_PINS what they are of. Where
 * Debian's mirror has moved on, they are of what it has now: what is tested is then not what is pinned, but it is
 * tested, and this says that the pins want to be renewed.
 */
export default function buildOnce() {
  if (process.env.SSHJOB_TEST_SHIMS) return // those of an earlier build: to work on the tests
  // Removed by scripts/test.mjs; readable for every user, as an installation is.
  const run = process.env.SSHJOB_TEST_RUN ?? mkdtempSync(join(tmpdir(), 'sshjob-shims-'))
  const out = join(run, 'shims')
  const downloads = ['--downloads', DOWNLOADS]
  let pins = PINS
  let built = build('--arch', 'all', '--out', out, ...downloads)
  if (built.status !== 0 && built.stderr.includes("Debian's mirror has a newer")) {
    console.error(`note: the pins want to be renewed. ${built.stderr.trim()}`)
    pins = join(run, 'pins.json')
    copyFileSync(PINS, pins)
    must(build('--renew-pins', '--pins', pins))
    built = build('--arch', 'all', '--out', out, '--pins', pins, ...downloads)
  }
  must(built)
  Object.assign(process.env, {
    SSHJOB_TEST_SHIMS: out,
    SSHJOB_TEST_PINS: pins,
    SSHJOB_TEST_DOWNLOADS: DOWNLOADS,
  })
}
