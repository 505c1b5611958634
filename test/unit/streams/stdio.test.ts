import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { bundle } from '../../helpers/bundle.js'
import { describeWith } from '../../helpers/needs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const ECHO = `
  import { stdioStream } from './src/streams/stdio.js'
  try {
    const stream = stdioStream()
    console.log('a stray line')
    process.stdout.write('another')
    stream.pipe(stream)
  } catch (error) {
    console.error(error.code + ': ' + error.message)
  }
`

async function run(command: string): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString()
  })
  const [code] = await once(child, 'close')
  return { ...output, code: typeof code === 'number' ? code : null }
}

describe('stdioStream', () => {
  const directory = temporaryDirectory()
  let echo = ''

  beforeAll(async () => {
    const program = await bundle(ECHO, directory(), 'echo')
    echo = `${process.execPath} ${program}`
  })

  it('is two pipes, and keeps every other writer away from stdout', async () => {
    await expect(run(`printf hello | ${echo} | cat`)).resolves.toEqual({
      stdout: 'hello',
      stderr: 'a stray line\nanother',
      code: 0,
    })
  })

  it('reads and writes files as well', async () => {
    const file = path.join(directory(), 'out')
    await expect(
      run(`echo from a file > ${file}.in; ${echo} < ${file}.in > ${file}; cat ${file}`),
    ).resolves.toMatchObject({
      stdout: 'from a file\n',
    })
    await expect(run(`${echo} < /dev/null | cat`)).resolves.toMatchObject({ stdout: '', code: 0 })
  })

  it('brings a large amount through pipes', async () => {
    const { stdout } = await run(`head -c 20000000 /dev/zero | ${echo} | wc -c`)
    expect(stdout.trim()).toBe('20000000')
  })

  it('ends when the reader of its stdout goes', async () => {
    const { stdout } = await run(`yes | ${echo} 2>/dev/null | head -c 4`)
    expect(stdout).toBe('y\ny\n')
  })

  describeWith(['script'], 'on a terminal', () => {
    it('says that a program should start it', async () => {
      const { stdout } = await run(`script -qec '${echo}' /dev/null < /dev/null`)
      expect(stdout).toContain('usage: A connection is expected on stdin and stdout, not a terminal')
    })
  })
})
