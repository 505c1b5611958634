import { readSetting } from '../configuration.js'
import { runTool } from '../tools.js'
import { checkAccessPoint } from './access-point-checks.js'
import { checkExecutionPoint } from './execution-point-checks.js'
import type { Finding } from './finding.js'

/**
 * Looks at this machine's part of a pool, as an access point, an execution point, or both.
 * @throws SshjobError 'program-missing' without HTCondor, 'unreachable' where its configuration can't be read
 */
export async function examine(): Promise<Finding[]> {
  const { stdout } = await runTool('condor_version', [])
  const version = /\$CondorVersion: (\S+)/.exec(stdout)?.[1]
  const daemons = (await readSetting('DAEMON_LIST'))?.split(/[\s,]+/) ?? []
  const findings: Finding[] = [
    { level: 'ok', text: `This is HTCondor ${version ?? 'of an unknown version'}.` },
  ]
  if (daemons.includes('STARTD')) findings.push(...(await checkExecutionPoint()))
  if (daemons.includes('SCHEDD')) findings.push(...(await checkAccessPoint()))
  if (findings.length === 1) {
    findings.push({
      level: 'trap',
      text: 'This machine neither runs jobs nor keeps a queue of them (DAEMON_LIST), so there is nothing to check.',
    })
  }
  return findings
}
