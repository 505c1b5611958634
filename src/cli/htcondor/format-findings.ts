import type { Finding } from '../../engines/htcondor/installation/finding.js'

/** A line for each, with what to do below it. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings
    .map(({ level, text, advice }) => {
      const line = `${level.padEnd(6)}  ${text}\n`
      return advice === undefined ? line : `${line}        ${advice}\n`
    })
    .join('')
}
