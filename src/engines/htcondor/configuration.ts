import { firstLine, SshjobError } from '../../core/errors.js'
import { runTool } from './tools.js'

/**
 * The value of a setting as this machine's daemons have it, macros expanded; undefined where there is none.
 * @throws SshjobError 'program-missing' without HTCondor, 'unreachable' where its configuration can't be read
 */
export async function readSetting(name: string): Promise<string | undefined> {
  const run = await runTool('condor_config_val', [name])
  if (run.exitCode === 0) return run.stdout.trim()
  if (/^Not defined/m.test(run.stderr + run.stdout)) return undefined
  const said = firstLine(run.stderr) ?? firstLine(run.stdout) ?? `exit code ${run.exitCode}`
  throw new SshjobError('unreachable', `HTCondor's configuration can't be read: ${said}`)
}

/** The file and line that a setting comes from; undefined for a default. @throws as readSetting() */
export async function findSetting(name: string): Promise<string | undefined> {
  const run = await runTool('condor_config_val', ['-verbose', name])
  return /^\s*# at: (.*)$/m.exec(run.stdout)?.[1]?.trim()
}

/** The folder of configuration files that are this machine's own: the last one counts most. @throws as readSetting() */
export async function readConfigurationFolder(): Promise<string> {
  const folder = (await readSetting('LOCAL_CONFIG_DIR'))
    ?.split(/[\s,]+/)
    .filter((name) => name !== '')
    .at(-1)
  if (folder !== undefined) return folder
  throw new SshjobError(
    'no-such-file',
    "HTCondor's configuration names no LOCAL_CONFIG_DIR, which is where a file of ours would go: set it.",
  )
}
