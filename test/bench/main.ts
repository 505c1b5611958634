// npm run bench -- [--quick] [--profile FOLDER] [--list] [NAME…]
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { Bench, type Case } from './bench.js'
import { copy, files } from './cases/files.js'
import { htcondor } from './cases/htcondor.js'
import { keystrokes } from './cases/keystrokes.js'
import { librarySession } from './cases/library-session.js'
import { libraryToLibrary } from './cases/library-to-library.js'
import { localForward } from './cases/local-forward.js'
import { longPath } from './cases/long-path.js'
import { memory } from './cases/memory.js'
import { throughProxy } from './cases/through-proxy.js'
import { throughput } from './cases/throughput.js'
import { wholeCommand } from './cases/whole-command.js'
import { formatTable, type Row } from './report.js'

const CASES: readonly Case[] = [
  wholeCommand,
  throughProxy,
  librarySession,
  throughput,
  libraryToLibrary,
  longPath,
  files,
  copy,
  localForward,
  htcondor,
  keystrokes,
  memory,
]

function choose(names: readonly string[]): readonly Case[] {
  for (const name of names) {
    if (!CASES.some((known) => known.name === name)) {
      throw new Error(`There is no case '${name}': ${CASES.map((known) => known.name).join(', ')}`)
    }
  }
  return names.length === 0 ? CASES : CASES.filter(({ name }) => names.includes(name))
}

/** How busy the machine is with other things: past the number of its cores, clocks say little. */
const busy = (): string => `load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`

async function runCases(bench: Bench, cases: readonly Case[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, goal, run } of cases) {
    console.error(`${name}: ${goal} (${busy()})`)
    try {
      const measured = await run(bench)
      console.error(`${formatTable(measured)}\n`)
      rows.push(...measured)
    } finally {
      await bench.endCase()
    }
  }
  return rows
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, list: { type: 'boolean' }, profile: { type: 'string' } },
})
const cases = choose(positionals)
if (values.list) {
  for (const { name, goal } of cases) console.log(`${name}: ${goal}`)
} else {
  const bench = await Bench.open({ quick: values.quick ?? false, profile: values.profile })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void bench.close().finally(() => process.exit(1)))
  }
  try {
    console.log(formatTable(await runCases(bench, cases)))
  } finally {
    await bench.close()
  }
}
