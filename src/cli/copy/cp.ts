import { copyTree } from '../../client/copy/copy-tree.js'
import { localSide, remoteSide } from '../../client/copy/sides.js'
import type { JobConnection } from '../../client/types.js'
import { type ErrorCode, SshjobError } from '../../core/errors.js'
import { THREADS_SERVING } from '../../core/limits.js'
import { widenThreadPool } from '../../core/thread-pool.js'
import { argumentBytes } from '../arguments/command-line.js'
import { FIND_OPTIONS } from '../arguments/engine-options.js'
import { parseArguments, refuseLateOptions, usage } from '../arguments/options.js'
import { readReach } from '../arguments/reach-options.js'
import { shellLine } from '../arguments/shell-words.js'
import { printHelp } from '../manual/print-help.js'
import { printable, say } from '../output/report.js'
import { createVerboseLog } from '../output/verbose-log.js'
import { openSession } from '../session/open-session.js'
import { catchInterruption } from './interruption.js'
import { type CopyRequest, parseLocations } from './locations.js'
import { CP_OPTIONS } from './options.js'
import { copyPipe, isPipe } from './pipe.js'
import type { ProgressLine } from './progress.js'

/** Ends after which a copy that has begun can be gone on with. */
const BROKEN_OFF: readonly ErrorCode[] = ['aborted', 'connection-lost', 'connection-closed']

interface CopyOptions {
  recursive: boolean
  preserve: boolean
  resume: boolean
  quiet: boolean
}

/** `sshjob cp [-r] [-p] [--resume] SRC… DST`: gives the status to exit with. */
export async function runCopyCommand(args: readonly string[]): Promise<number> {
  widenThreadPool(THREADS_SERVING)
  const parsed = parseArguments(args, CP_OPTIONS, 'sshjob cp', FIND_OPTIONS)
  const { given, operands } = parsed
  const has = (name: keyof typeof CP_OPTIONS): boolean => given.some((option) => option.name === name)
  if (has('help')) return printHelp(import('../manual/cp.js'))
  refuseLateOptions(parsed, 'sshjob cp')
  const options = {
    recursive: has('recursive') || has('archive'),
    preserve: has('preserve') || has('archive'),
    resume: has('resume'),
    quiet: has('quiet'),
  }
  const request = parseLocations(argumentBytes(operands))
  const pipe = isPipe(request)
  if (pipe) checkPipe(request, options)
  const { log } = createVerboseLog(given.filter(({ name }) => name === 'verbose').length)
  const note = noteUnless(options.quiet)

  const { connection } = await openSession(
    { job: request.job, ...readReach(given, parsed.givenMore) },
    log,
    note,
  )
  const interruption = catchInterruption()
  const { signal } = interruption
  let begun = false
  const begin = (): void => {
    begun = true
  }
  try {
    await (pipe
      ? copyPipe(connection.files, request, signal)
      : copyFiles(connection, request, options, { signal, begin }))
  } catch (error) {
    const advice = begun && isBrokenOff(error) ? `Continue with: ${shellLine(resumeCall(args))}` : undefined
    if (signal.aborted) {
      if (advice !== undefined) say(printable(`sshjob: Interrupted. ${advice}`))
      interruption.finish()
    }
    if (isBrokenOff(error)) throw advice === undefined ? error : withAdvice(error, advice)
    await connection.close()
    throw error
  }
  await connection.close()
  return 0
}

function isBrokenOff(error: unknown): error is SshjobError {
  return error instanceof SshjobError && BROKEN_OFF.includes(error.code)
}

function withAdvice(error: SshjobError, advice: string): SshjobError {
  return new SshjobError(error.code, `${error.message} ${advice}`, { cause: error })
}

const noteUnless =
  (quiet: boolean) =>
  (sentence: string): void => {
    if (!quiet) say(printable(sentence))
  }

function checkPipe({ sources }: CopyRequest, { recursive, preserve, resume }: CopyOptions): void {
  if (sources.length > 1) throw usage("'-' stands alone: one file, and our input or output.", 'sshjob cp')
  if (recursive || preserve || resume) {
    throw usage("-r, -p, -a and --resume are for files, and '-' is none ('./-' is one).", 'sshjob cp')
  }
}

/** The call that goes on with what this one has begun. */
function resumeCall(args: readonly string[]): string[] {
  const goesOn = args.includes('--resume') ? [] : ['--resume']
  return ['sshjob', 'cp', ...goesOn, ...args]
}

async function copyFiles(
  { files }: JobConnection,
  { job, direction, sources, target: to }: CopyRequest,
  { recursive, preserve, resume, quiet }: CopyOptions,
  { signal, begin }: { signal: AbortSignal; begin: () => void },
): Promise<void> {
  const remote = remoteSide(files, job)
  const sides =
    direction === 'up'
      ? { source: localSide, target: remote, copyFile: files.upload.bind(files) }
      : { source: remote, target: localSide, copyFile: files.download.bind(files) }
  const refuseFolders = recursive ? undefined : 'use -r to copy it with what is in it'
  const drawProgress = process.stderr.isTTY && !quiet ? await loadProgress() : undefined
  const note = noteUnless(quiet)
  let line: ProgressLine | undefined
  const { items, failed } = await copyTree(
    { ...sides, sources, to, refuseFolders },
    {
      signal,
      preserve,
      resume,
      onStart({ bytes }) {
        begin()
        line = drawProgress?.(process.stderr, bytes)
      },
      onProgress: ({ done, path }) => line?.update(done, path.toString()),
      onFailure: ({ message }) => (line?.say ?? say)(printable(`sshjob: ${message}`)),
      onSkip: (sentence) => note(`sshjob: ${sentence}`),
    },
  ).finally(() => line?.finish())
  if (failed > 0)
    throw new SshjobError('file-failed', `${failed} of ${items} could not be copied: see above.`)
}

/** Loaded where it is drawn only. */
const loadProgress = async () => (await import('./progress.js')).drawProgress
