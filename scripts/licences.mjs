import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The licence texts of the packages that these bundled files come from. A package without one fails the build: it
 * must not be handed on.
 * @param {string} root
 * @param {string[]} inputs paths relative to root, as in esbuild's metafile
 * @returns {string}
 */
export function collectLicences(root, inputs) {
  const folders = new Set()
  for (const input of inputs) {
    const match = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)
    if (match) folders.add(match[0])
  }
  const texts = [...folders].sort().map((folder) => {
    const directory = join(root, folder)
    const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
    const file = readdirSync(directory).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
    if (!file) throw new Error(`The package ${name} ${version} has no licence file: it can't be bundled.`)
    return `${name} ${version}\n\n${readFileSync(join(directory, file), 'utf8').trim()}\n`
  })
  const rule = `\n${'-'.repeat(80)}\n\n`
  return `The programs and the library contain these packages.\n${rule}${texts.join(rule)}`
}
