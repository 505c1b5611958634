// Runs tests that jest has collected once more, any number of times, without loading anything anew: a mutant costs what
// the tests cost that reach it, and no start of jest.

/** The tests below a block, with its path of blocks. */
export function testsBelow(block, path = []) {
  const here = [...path, block]
  return block.children.flatMap((child) => {
    if (child.mode === 'skip' || child.mode === 'todo') return []
    return child.type === 'test' ? [{ test: child, blocks: here }] : testsBelow(child, here)
  })
}

/** As jest calls it: 'a block › a test'. */
export const nameOf = ({ test, blocks }) => [...blocks.slice(1), test].map(({ name }) => name).join(' › ')

const hooks = (block, type) => block.hooks.filter((hook) => hook.type === type)

export class TestTimeout extends Error {}

/** Runs a function of a test's, or of a hook's; rejects with a TestTimeout where it takes too long. */
function call(fn, context, limitMs) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TestTimeout('it took too long')), limitMs)
    const settle = (done) => (value) => {
      clearTimeout(timer)
      done(value)
    }
    new Promise((give) => give(fn.call(context))).then(settle(resolve), settle(reject))
  })
}

/**
 * Runs the tests in their order, with the hooks of their blocks, until one fails.
 * @param {object} root          the block of a file, as jest-circus has it
 * @param {(entry: object) => boolean} wanted
 * @param {(entry: object | undefined) => number} limitMs   for a test, or for a hook of a block
 * @param {() => unknown} failure  what has been thrown beside the tests meanwhile
 * @returns {Promise<{ entry?: object, error: unknown } | undefined>} the first failure
 */
export async function runTests(root, wanted, limitMs, failure) {
  let failed
  const run = async (fn, context, entry) => {
    try {
      await call(fn, context, limitMs(entry))
      const beside = failure()
      if (beside !== undefined) throw beside
    } catch (error) {
      failed ??= { entry, error }
    }
  }
  const runTest = async (entry) => {
    const context = {}
    for (const block of entry.blocks)
      for (const { fn } of hooks(block, 'beforeEach')) if (failed === undefined) await run(fn, context, entry)
    if (failed === undefined) await run(entry.test.fn, context, entry)
    for (const block of entry.blocks.toReversed())
      for (const { fn } of hooks(block, 'afterEach')) await run(fn, context, entry)
  }
  const runBlock = async (block, path) => {
    const here = [...path, block]
    if (!testsBelow(block, path).some(wanted)) return
    for (const { fn } of hooks(block, 'beforeAll')) await run(fn, {}, undefined)
    for (const child of block.children) {
      if (failed !== undefined) break
      if (child.mode === 'skip' || child.mode === 'todo') continue
      if (child.type === 'describeBlock') await runBlock(child, here)
      else if (wanted({ test: child, blocks: here })) await runTest({ test: child, blocks: here })
    }
    for (const { fn } of hooks(block, 'afterAll')) await run(fn, {}, undefined)
  }
  await runBlock(root, [])
  return failed
}
