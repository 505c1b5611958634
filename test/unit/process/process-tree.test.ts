import { listSessions, listTree, readStat } from '../../../src/process/process-tree.js'
import { readUntil, startIn, testJob } from '../../helpers/job-session.js'

describe('the tree of processes', () => {
  it('is a process and its descendants, outermost first, up to a limit', async () => {
    const session = await startIn(testJob(), '(sleep 60 & echo ready; wait) & sleep 60')
    await readUntil(session, 'ready')
    let tree = listTree(session.pid, 100)
    while (tree.length < 4) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      tree = listTree(session.pid, 100)
    }
    expect(tree[0]).toBe(session.pid)
    expect(tree).toHaveLength(4)
    const places = tree.map((pid) => tree.indexOf(readStat(pid)?.parent ?? 0))
    for (const [place, parent] of places.entries()) expect(parent).toBeLessThan(place)
    expect(listTree(session.pid, 2)).toEqual(tree.slice(0, 2))
  })

  it('is empty for a process that there is not', () => {
    expect(listTree(2 ** 30, 10)).toEqual([])
    expect(readStat(2 ** 30)).toBeUndefined()
  })

  it('reads the stat of a process whose name has spaces and parentheses', async () => {
    const session = await startIn(
      testJob(),
      `exec ${process.execPath} -e '
      process.title = "a) R 1 2 3"; console.log("ready"); setInterval(() => {}, 1000)'`,
    )
    await readUntil(session, 'ready')
    expect(readStat(session.pid)).toMatchObject({
      pid: session.pid,
      parent: process.pid,
      session: session.pid,
    })
  })
})

describe('the sessions', () => {
  it('seen by several at once include what was there when they asked', async () => {
    const first = listSessions()
    const session = await startIn(testJob(), 'read go')
    const [, seen] = await Promise.all([first, listSessions()])
    expect(seen.get(session.pid)?.map(({ pid }) => pid)).toContain(session.pid)
  })
})
