import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, findProgramSync } from '../../../src/process/find-program.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const folder = temporaryDirectory()

describe('finding a program', () => {
  it('looks into the folders of PATH, and at a path from the directory', async () => {
    const find = async (name: string, path: string | undefined, directory?: string) => {
      const found = (await findProgram(name, { path, directory }))?.toString()
      expect(findProgramSync(name, { path, directory })).toBe(found)
      return found
    }
    expect(await find('sh', '/nowhere:/bin')).toBe('/bin/sh')
    expect(await find('bin/sh', undefined, '/')).toBe('/bin/sh')
    expect(await find('sh', 'bin', '/')).toBe('/bin/sh')
    expect(await find('sh', '', '/bin')).toBe('/bin/sh')
    expect(await find('./package.json', undefined)).toBeUndefined()
    expect(await find('sh', '/nowhere')).toBeUndefined()
    expect(await find('', '/bin')).toBeUndefined()
    expect(await find('a\0b', undefined)).toBeUndefined()
  })

  it('finds what has no name in UTF-8, in a folder that has none either', async () => {
    const bytes = Buffer.from('\xe9', 'latin1')
    const path = Buffer.concat([Buffer.from(`${folder()}/`), bytes])
    const file = Buffer.concat([path, Buffer.from('/'), bytes])
    mkdirSync(path)
    writeFileSync(file, '')
    expect(await findProgram(bytes, { path })).toBeUndefined()
    chmodSync(file, 0o755)
    expect(await findProgram(bytes, { path })).toEqual(file)
    mkdirSync(join(folder(), 'sub'))
    expect(await findProgram('sub', { path: folder() })).toBeUndefined()
  })
})
