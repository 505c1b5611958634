import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const text = readFileSync('docs/architecture.md', 'utf8')

describe('docs/architecture.md', () => {
  it('has every folder of src, and no other', () => {
    const rooms = [...text.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name)
    const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect([...rooms].sort()).toEqual(folders.map(({ name }) => name).sort())
  })

  it('names files that are there', () => {
    const files = [...text.matchAll(/`([\w/-]+\.(?:ts|sh|mjs))`/g)].map(([, name = '']) => name)
    expect(files.length).toBeGreaterThan(10)
    const missing = files.filter((name) => !existsSync(name) && !existsSync(path.join('src', name)))
    expect(missing).toEqual([])
  })
})
