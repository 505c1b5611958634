import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEBIAN_ARCHITECTURES, sourcesIn } from './debian-packages.mjs'
import { koffiAddon, nodePackage, pinOf } from './pins.mjs'

const LICENCES = {
  libc6: 'LGPL-2.1-or-later',
  'libgcc-s1': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  'libstdc++6': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  'busybox-static': 'GPL-2.0-only',
}

/** The macros of Node.js' headers that say which version of a library is in it. */
const IN_NODE = [
  {
    name: 'openssl',
    header: 'openssl/archs/linux-x86_64/no-asm/include/openssl/opensslv.h',
    pattern: /define OPENSSL_VERSION_STR "([^"]+)"/,
  },
  { name: 'zlib', header: 'zlib.h', pattern: /define ZLIB_VERSION "([^"]+)"/ },
  {
    name: 'libuv',
    header: 'uv/version.h',
    pattern:
      /define UV_VERSION_MAJOR (\d+)[\s\S]*?define UV_VERSION_MINOR (\d+)[\s\S]*?define UV_VERSION_PATCH (\d+)/,
  },
  {
    name: 'v8',
    header: 'v8-version.h',
    pattern:
      /define V8_MAJOR_VERSION (\d+)[\s\S]*?define V8_MINOR_VERSION (\d+)[\s\S]*?define V8_BUILD_NUMBER (\d+)[\s\S]*?define V8_PATCH_LEVEL (\d+)/,
  },
]

/**
 * The list of what a shim holds, as CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/. Without a time, so that it is
 * the same for the same shim.
 * @param {import('./pins.mjs').Architecture} arch
 * @param {import('./assemble.mjs').Parts} parts
 */
export function describe(arch, parts, pins, suite) {
  const { version } = JSON.parse(readFileSync(join(parts.root, 'package.json'), 'utf8'))
  const name = `sshjob-shim-linux-${arch}`
  const components = [
    ...fromNpm(arch, parts, pins),
    ...bundled(parts.root),
    ...insideNode(parts.node),
    ...fromDebian(arch, pins.debian, suite),
  ].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1))
  const subject = {
    type: 'application',
    'bom-ref': npmUrl(name, version),
    name,
    version,
    purl: npmUrl(name, version),
  }
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: subject },
    components,
    dependencies: [
      { ref: subject['bom-ref'], dependsOn: components.map((component) => component['bom-ref']) },
      ...components.map((component) => ({ ref: component['bom-ref'] })),
    ],
  }
  return `${JSON.stringify({ ...bom, serialNumber: serialFor(bom) }, null, 2)}\n`
}

/** A UUID that stands for just this text: RFC 9562, 5.8. */
function serialFor(bom) {
  const hash = createHash('sha256').update(JSON.stringify(bom)).digest()
  hash[6] = (hash[6] & 0x0f) | 0x80
  hash[8] = (hash[8] & 0x3f) | 0x80
  const hex = hash.toString('hex')
  return `urn:uuid:${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')}`
}

const npmUrl = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`

/** The `integrity` of npm, in the form of CycloneDX. */
function hashesOf(integrity) {
  const [algorithm, base64] = integrity.split('-')
  const alg = { sha512: 'SHA-512', sha256: 'SHA-256', sha1: 'SHA-1' }[algorithm]
  return [{ alg, content: Buffer.from(base64, 'base64').toString('hex') }]
}

function npmComponent(name, version, licence, integrity) {
  const purl = npmUrl(name, version)
  return {
    ...{ type: 'library', 'bom-ref': purl, name, version },
    ...(integrity === undefined ? {} : { hashes: hashesOf(integrity) }),
    ...(licence === undefined ? {} : { licenses: [{ expression: licence }] }),
    purl,
  }
}

function fromNpm(arch, { root }, pins) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const pty = packages['node_modules/node-pty']
  const pinned = ['koffi', koffiAddon(arch)].map((name) => pinOf(pins.npm, name))
  const node = pinOf(pins.npm, nodePackage(arch))
  return [
    npmComponent('node-pty', pty.version, 'MIT', pty.integrity),
    ...pinned.map(({ name, version, integrity }) => npmComponent(name, version, 'MIT', integrity)),
    {
      ...npmComponent(node.name, node.version, 'MIT', node.integrity),
      type: 'application',
      // What lists of vulnerabilities know it by.
      cpe: `cpe:2.3:a:nodejs:node.js:${node.version}:*:*:*:lts:*:*:*`,
    },
  ]
}

/** The packages that are in the program itself, as the file of their licences names them. */
function bundled(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const text = readFileSync(join(root, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8')
  return [...text.matchAll(/^-{80}\n\n(\S+) (\S+)$/gm)].map(([, name, version]) => {
    const locked = packages[`node_modules/${name}`]
    const { license, integrity } = locked?.version === version ? locked : {}
    return npmComponent(name, version, license, integrity)
  })
}

function insideNode(node) {
  return IN_NODE.map(({ name, header, pattern }) => {
    const found = pattern.exec(readFileSync(join(node, 'include/node', header), 'utf8'))
    if (found === null) throw new Error(`${header} of Node.js doesn't say which version it is of.`)
    const version = found.slice(1).join('.')
    const purl = `pkg:generic/${name}@${version}`
    return { type: 'library', 'bom-ref': purl, name, version, purl }
  })
}

function fromDebian(arch, pins, suite) {
  return pins
    .filter(({ name }) => name in LICENCES)
    .map(({ name, version, sha256, sources }) => {
      const encode = (text) => encodeURIComponent(text)
      const purl = `pkg:deb/debian/${encode(name)}@${encode(version)}?arch=${DEBIAN_ARCHITECTURES[arch]}&distro=${suite}`
      return {
        type: name === 'busybox-static' ? 'application' : 'library',
        'bom-ref': purl,
        name,
        version,
        // Of Debian's package: a part of its files is in the shim.
        hashes: [{ alg: 'SHA-256', content: sha256 }],
        licenses: [{ expression: LICENCES[name] }],
        purl,
        externalReferences: sourcesIn({ sources }).map((source) => ({
          type: 'source-distribution',
          url: `https://snapshot.debian.org/package/${source.split(' ').map(encode).join('/')}/`,
        })),
      }
    })
}
