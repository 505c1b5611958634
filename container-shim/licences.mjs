import { join } from 'node:path'
import { sourcesIn, TRIPLETS } from './debian-packages.mjs'
import { nodePackage, pinOf } from './pins.mjs'
import { forgottenNames } from './seal.mjs'

/** Texts that the others refer to. */
const COMMON = ['GPL-2', 'GPL-3', 'LGPL-2.1']

/** The source packages of all that came from Debian as a program or library, each once. */
export function sourcesOf(pins) {
  const inside = pins.debian.filter(({ name }) => name !== 'base-files')
  return [...new Set(inside.flatMap(sourcesIn))].sort()
}

/**
 * The licences of everything in the directory, and where the sources are that they ask for.
 * @param {{ put: Function, copy: Function, arch: import('./pins.mjs').Architecture, parts: import('./assemble.mjs').Parts, pins: object, loader: string }} of
 */
export function writeLicences({ put, copy, arch, parts, pins, loader }) {
  const { root, node, koffi, debian } = parts
  copy(join(root, 'LICENSE'), 'LICENSES/sshjob.txt')
  copy(join(root, 'dist/THIRD-PARTY-LICENSES.txt'), 'LICENSES/sshjob-packages.txt')
  copy(join(node, 'LICENSE'), 'LICENSES/nodejs.txt')
  copy(join(root, 'node_modules/node-pty/LICENSE'), 'LICENSES/node-pty.txt')
  copy(join(koffi, 'LICENSE.txt'), 'LICENSES/koffi.txt')
  const doc = join(debian, 'usr/share/doc')
  copy(join(doc, 'libc6/copyright'), 'LICENSES/glibc.txt')
  copy(join(doc, 'gcc-14-base/copyright'), 'LICENSES/gcc.txt')
  copy(join(doc, 'busybox-static/copyright'), 'LICENSES/busybox.txt')
  for (const name of COMMON) copy(join(debian, 'usr/share/common-licenses', name), `LICENSES/${name}.txt`)
  put('LICENSES/README.txt', readme(arch, pins, loader))
}

function readme(arch, pins, loader) {
  const debian = (name) => pinOf(pins.debian, name).version
  const npm = (name) => pinOf(pins.npm, name).version
  return `What this directory holds, and under which licences.

sshjob-*, start-node.sh,
programs/                       sshjob (sshjob.txt), with the packages in sshjob-packages.txt
bin/node                        Node.js ${npm(nodePackage(arch))} and what it is built from (nodejs.txt)
node_modules/node-pty           node-pty (node-pty.txt)
node_modules/koffi, @koromix    Koffi ${npm('koffi')} (koffi.txt)
lib/libstdc++*, lib/libgcc*     GCC's run-time libraries ${debian('libstdc++6')}: GPL-3 or later, with the GCC Runtime
                                Library Exception 3.1 (gcc.txt, GPL-3.txt)
lib/, all others                the GNU C Library ${debian('libc6')}: LGPL-2.1 or later (glibc.txt, LGPL-2.1.txt)
bin/busybox, bin/sh             BusyBox ${debian('busybox-static')}, GPL-2 (busybox.txt, GPL-2.txt), linked with the GNU
                                C Library

Changes: from bin/node, symbols and debugging data were cut off. In ${loader}, a part of the GNU C Library,
these names were made empty, so that it uses no file of the system that it runs on:
${forgottenNames(TRIPLETS[arch])
  .map((name) => `  ${name}`)
  .join('\n')}
container-shim/ in sshjob's own sources has the program that does it. All other files are as Debian or npm has them. You
may put other builds of these libraries in their place: the programs are linked to them when they start.

Sources: those of the GNU C Library, GCC and BusyBox are Debian's source packages

${sourcesOf(pins)
  .map((source) => `  ${source}`)
  .join('\n')}

which Debian keeps for good: https://snapshot.debian.org/package/NAME/VERSION/. Whoever gives you this directory owes you
these sources as well. A written offer, valid for three years and for everybody: the project that sshjob comes from gives
the complete sources of these packages, on a medium or by the network, for no more than that costs; ask where you got
sshjob. \`npm run shim -- --sources DIR\` in a checkout of sshjob collects them.
`
}
