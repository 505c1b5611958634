import { execFileSync } from 'node:child_process'
import { argumentBytes, joinCommand, lastArguments } from '../../../../src/cli/arguments/command-line.js'

describe('the command', () => {
  it('is its words with spaces between them, as ssh sends it', () => {
    expect(joinCommand(['ls', '-l', 'a  b'])).toEqual(Buffer.from('ls -l a  b'))
    expect(joinCommand(['ls', '', 'é'])).toEqual(Buffer.from('ls  é'))
  })

  it('keeps bytes that are not UTF-8', () => {
    const cmdline = Buffer.from('node\0sshjob\0train\0cat\0caf\xe9\0\0', 'latin1')
    expect(lastArguments(cmdline, 3)).toEqual([
      Buffer.from('cat'),
      Buffer.from('caf\xe9', 'latin1'),
      Buffer.alloc(0),
    ])
    expect(argumentBytes(['a', 'é'])).toEqual([Buffer.from('a'), Buffer.from('é')])
  })

  it('finds those bytes in what the kernel knows of a process', () => {
    const script = `process.stdout.write(require('fs').readFileSync('/proc/self/cmdline'))`
    const shell = `exec "$1" -e "$2" train cat "$(printf 'caf\\351')"`
    const cmdline = execFileSync('sh', ['-c', shell, 'sh', process.execPath, script])
    expect(lastArguments(cmdline, 2)).toEqual([Buffer.from('cat'), Buffer.from('caf\xe9', 'latin1')])
  })
})
