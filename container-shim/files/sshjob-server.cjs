'use strict'
// The variables that the launcher beside this file was started with, which it has not given to Node.js itself.
const { env } = process
/** Between the launcher and the server: what a job has of that name is of another one. */
const OURS = ['SSHJOB_WRAPPER', 'SSHJOB_DESCRIPTORS', 'SSHJOB_ENVIRONMENT']
const pieces = []
for (let index = 0; index < Number(env.SSHJOB_SHIM_ENVIRONMENT ?? 0); index++) {
  const name = `SSHJOB_SHIM_ENVIRONMENT_${index}`
  pieces.push(Buffer.from(env[name] ?? '', 'base64'))
  delete env[name]
}
delete env.SSHJOB_SHIM_ENVIRONMENT
const bytes = Buffer.concat(pieces)
for (const entry of bytes.toString().split('\0')) {
  const equals = entry.indexOf('=')
  const name = entry.slice(0, Math.max(equals, 0))
  if (name !== '' && !OURS.includes(name)) env[name] = entry.slice(equals + 1)
}
// Not all of them are UTF-8: whoever hands them on takes the bytes.
if (pieces.length > 0) globalThis[Symbol.for('sshjob.environment')] = bytes
require('./programs/sshjob-server.cjs')
