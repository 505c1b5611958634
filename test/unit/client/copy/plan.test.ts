import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { planCopy } from '../../../../src/client/copy/plan.js'
import { localSide, remoteSide } from '../../../../src/client/copy/sides.js'
import { sessionPair } from '../../../helpers/session-pair.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const directory = temporaryDirectory()

it('what is in a folder of the job is known from its listing: nothing is asked for each file', async () => {
  const tree = join(directory(), 'tree')
  mkdirSync(join(tree, 'inner'), { recursive: true })
  writeFileSync(join(tree, 'file'), '12345')
  writeFileSync(join(tree, 'inner', 'file'), '1', { mode: 0o640 })
  symlinkSync('nowhere', join(tree, 'link'))
  const pair = await sessionPair()
  const { files } = pair.client
  const lstat = jest.spyOn(files, 'lstat')
  const operands = { sources: [Buffer.from(tree)], target: Buffer.from(directory()) }
  const options = { note: () => undefined }
  const plan = await planCopy(remoteSide(files, 'test'), localSide, operands, options)
  expect(lstat).not.toHaveBeenCalled()
  // The other way round, it is the same.
  const mirror = await planCopy(localSide, remoteSide(files, 'test'), operands, options)
  const seen = ({ folders, files, links, totalBytes }: typeof plan) => ({
    items: [...folders, ...files, ...links]
      .map(({ from, to, stats: { type, mode } }) => [from.toString(), to.toString(), type, mode])
      .sort(),
    totalBytes,
  })
  expect(seen(plan)).toEqual(seen(mirror))
  expect(seen(plan).items).toHaveLength(5)
  expect(plan.totalBytes).toBe(6)
  await pair.close()
})

it.each([
  ['files', ['one/same', 'two/same'], 'one/same and '],
  ['files in folders whose contents are copied', ['one/.', 'two/.'], 'one/./same and '],
])('two %s that would become one are refused before anything is copied', async (_what, names, said) => {
  for (const folder of ['one', 'two']) {
    mkdirSync(join(directory(), folder), { recursive: true })
    writeFileSync(join(directory(), folder, 'same'), folder)
  }
  mkdirSync(join(directory(), 'target'), { recursive: true })
  const operands = {
    sources: names.map((name) => Buffer.from(`${directory()}/${name}`)),
    target: Buffer.from(join(directory(), 'target')),
  }
  const planned = planCopy(localSide, localSide, operands, { note: () => undefined })
  await expect(planned).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining(said) })
})
