import { REACH_OPTIONS } from '../arguments/reach-options.js'

export const CP_OPTIONS = {
  recursive: { short: 'r', help: 'copy folders with what is in them' },
  preserve: { short: 'p', help: 'keep permissions and times' },
  archive: { short: 'a', help: 'the same as -r -p' },
  resume: { help: 'go on behind what the target has already of a file' },
  ...REACH_OPTIONS,
  quiet: { short: 'q', help: 'no progress and no notes, only errors' },
  verbose: { short: 'v', help: 'say what happens to the connection; twice: everything' },
  help: { short: 'h', help: 'print this' },
} as const
