import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import vm from 'node:vm'
import { cacheFile, WRITE_CACHE } from './code-cache.js'

/**
 * `node start-cached.cjs [--write-cache] PROGRAM ARGUMENTS…`: runs a CommonJS program as Node.js would, with what V8 has
 * kept of it, so that nothing needs to be compiled. What V8 can't use, such as that of another version, it leaves alone.
 */
const [node = '', , ...words] = process.argv
const writes = words[0] === WRITE_CACHE
const [program = '', ...args] = words.slice(writes ? 1 : 0)
process.argv = [node, program, ...args]

const source = fs.readFileSync(program, 'utf8').replace(/^#!.*/, '')
const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
  filename: program,
  cachedData: writes ? undefined : readCache(),
})
if (writes) process.once('exit', () => fs.writeFileSync(cacheFile(program), script.createCachedData()))
const module = { exports: {} }
script.runInThisContext()(module.exports, createRequire(program), module, program, path.dirname(program))

function readCache(): Buffer | undefined {
  try {
    return fs.readFileSync(cacheFile(program))
  } catch {
    return undefined // it is only faster with one
  }
}
