import { execFileSync } from 'node:child_process'
import { joinCommand, joinLastArguments } from '../../../src/cli/command-line.js'

describe('the command', () => {
  it('is its words with spaces between them, as ssh sends it', () => {
    expect(joinCommand(['ls', '-l', 'a  b'])).toBe('ls -l a  b')
  })

  it('keeps bytes that are not UTF-8', () => {
    const cmdline = Buffer.from('node\0sshjob\0train\0cat\0caf\xe9\0\0', 'latin1')
    expect(joinLastArguments(cmdline, 3)).toEqual(Buffer.from('cat caf\xe9 ', 'latin1'))
  })

  it('finds those bytes in what the kernel knows of a process', () => {
    const script = `process.stdout.write(require('fs').readFileSync('/proc/self/cmdline'))`
    const shell = `exec "$1" -e "$2" train cat "$(printf 'caf\\351')"`
    const cmdline = execFileSync('sh', ['-c', shell, 'sh', process.execPath, script])
    expect(joinLastArguments(cmdline, 2)).toEqual(Buffer.from('cat caf\xe9', 'latin1'))
  })
})
