/** Started by a launcher: shows, as JSON, the names of its own variables, the starter's variables, and its arguments. */
import { readStarterEnvironment } from '../../src/engines/htcondor/starter-environment.js'

const starter = Object.fromEntries(
  [...readStarterEnvironment()].map(([name, bytes]) => [name, bytes.toString()]),
)
console.log(JSON.stringify({ own: Object.keys(process.env), starter, args: process.argv.slice(2) }))
