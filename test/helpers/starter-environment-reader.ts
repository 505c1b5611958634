/**
 * Started by a launcher: shows, as JSON, the names of its own variables, those of the starter, its arguments, and the
 * descriptors that a child would get.
 */
import { readdirSync, readlinkSync } from 'node:fs'
import { readStarterEnvironment } from '../../src/engines/htcondor/starter-environment.js'

const starter = Object.fromEntries(
  [...readStarterEnvironment()].map(([name, bytes]) => [name, bytes.toString()]),
)
const descriptors = readdirSync('/proc/self/fd').filter((number) => {
  try {
    return readlinkSync(`/proc/self/fd/${number}`).startsWith('pipe:')
  } catch {
    return false
  }
})
console.log(
  JSON.stringify({ own: Object.keys(process.env), starter, args: process.argv.slice(2), descriptors }),
)
