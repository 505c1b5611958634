import { SshjobError } from '../core/errors.js'
import { argumentBytes } from './command-line.js'
import { parseLocations } from './copy/locations.js'
import { planCopy } from './copy/plan.js'
import type { ProgressLine } from './copy/progress.js'
import { runPlan } from './copy/run-plan.js'
import { type CopyFile, localSide, remoteSide } from './copy/sides.js'
import { printHelp } from './manual/print-help.js'
import { openSession } from './open-session.js'
import { parseArguments } from './options.js'
import { REACH_OPTIONS, readReach } from './reach-options.js'
import { printable, say } from './report.js'
import { createVerboseLog } from './verbose-log.js'

export const CP_OPTIONS = {
  recursive: { short: 'r', help: 'copy folders with what is in them' },
  preserve: { short: 'p', help: 'keep permissions and times' },
  resume: { help: 'go on behind what the target has already of a file' },
  ...REACH_OPTIONS,
  quiet: { short: 'q', help: 'no progress and no notes, only errors' },
  verbose: { short: 'v', help: 'say what happens to the connection; twice: everything' },
  help: { short: 'h', help: 'print this' },
} as const

/** `sshjob cp [-r] [-p] [--resume] SRC… DST`: gives the status to exit with. */
export async function runCopyCommand(args: readonly string[]): Promise<number> {
  const { given, operands } = parseArguments(args, CP_OPTIONS, 'sshjob cp')
  const has = (name: keyof typeof CP_OPTIONS): boolean => given.some((option) => option.name === name)
  if (has('help')) return printHelp(import('./manual/cp.js'))
  const locations = parseLocations(argumentBytes(operands))
  const way = { job: locations.job, ...readReach(given) }
  const { log } = createVerboseLog(given.filter(({ name }) => name === 'verbose').length)
  const note = (sentence: string): void => {
    if (!has('quiet')) say(printable(sentence))
  }

  const connection = await openSession(way, log, note)
  const { files } = connection
  const up = locations.direction === 'up'
  const remote = remoteSide(files)
  const [source, target] = up ? [localSide, remote] : [remote, localSide]
  const copyFile: CopyFile = up
    ? (from, to, options) => files.upload(from, to, options)
    : (from, to, options) => files.download(from, to, options)
  const plan = await planCopy(source, target, locations, { recursive: has('recursive'), note })

  const line = process.stderr.isTTY && !has('quiet') ? await openProgress(plan.totalBytes) : undefined
  const options = {
    preserve: has('preserve'),
    resume: has('resume'),
    onProgress: (done: number, name: string) => line?.update(done, name),
    onFailure: (sentence: string) => (line?.say ?? say)(printable(sentence)),
  }
  const failures = await runPlan(plan, { source, target, copyFile }, options).finally(() => line?.finish())
  await connection.close()
  if (failures > 0) {
    throw new SshjobError('file-failed', `${failures} of what was to be copied could not be: see above.`)
  }
  return 0
}

/** Loaded where it is drawn only. */
async function openProgress(totalBytes: number): Promise<ProgressLine> {
  const { drawProgress } = await import('./copy/progress.js')
  return drawProgress(process.stderr, totalBytes)
}
