import { spawnSync } from 'node:child_process'
import { serverScript } from '../../../../src/engines/htcondor/installation/launchers.js'
import { readStarterEnvironment, VARIABLE } from '../../../../src/engines/htcondor/starter-environment.js'
import { findProgram } from '../../../helpers/needs.js'

const helper = (name: string): string => `${process.cwd()}/test/helpers/${name}`
const READER = ['--import', helper('register-typescript.mjs'), helper('starter-environment-reader.ts')]
const SCRATCH = { _CONDOR_SCRATCH_DIR: '/scratch' }

function launch(environment: Record<string, string>, shell = ['/bin/sh']) {
  const [file = '', ...words] = shell
  const script = serverScript([process.execPath, ...READER])
  const { stdout, stderr } = spawnSync(file, [...words, '-c', script, 'sh', 'an argument'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { stderr: stderr.toString(), ...JSON.parse(stdout.toString() || '{}') }
}

describe('what HTCondor’s starter has given to a session’s server', () => {
  afterEach(() => {
    delete process.env[VARIABLE]
  })

  it('is its own environment where nothing stands between them', () => {
    expect(readStarterEnvironment().get('PATH')?.toString()).toBe(process.env.PATH)
  })

  const shells = [['/bin/sh'], ['bash'], ['busybox', 'sh']].filter(
    ([name = '']) => findProgram(name) !== undefined,
  )
  it.each(shells)(
    'is read byte for byte from the launcher, of which the server itself gets nothing: %s %s',
    (...shell) => {
      const environment = {
        ...SCRATCH,
        NODE_OPTIONS: '--require=/missing.js',
        LD_LIBRARY_PATH: '/a b:',
        OPENSSL_CONF: '/missing.cnf',
        EMPTY: '',
        'BASH_FUNC_module%%': '() {  echo\n}',
        LONG: '$(id) `id` \\ '.repeat(9_000),
      }
      const { stderr, own, starter, args, descriptors } = launch(environment, shell.filter(Boolean))
      expect(stderr).toBe('')
      expect(own).toEqual([VARIABLE])
      expect(starter).toEqual(environment)
      expect(args).toEqual(['an argument'])
      expect(descriptors).not.toContain('3')
    },
  )

  it('is not taken from elsewhere where it is no job’s', () => {
    expect(launch({ A: 'b' }).stderr).toContain(
      "The variables of the job can't be read from the launcher of this program: they are none of a job of HTCondor.",
    )
  })

  it('is not taken from elsewhere where it can not be read', () => {
    const { stderr } = spawnSync(process.execPath, READER, { env: { ...SCRATCH, [VARIABLE]: '3' } })
    expect(stderr.toString()).toMatch(/can't be read from the launcher of this program: .*\((EBADF|EINVAL)\)/)
  })
})
