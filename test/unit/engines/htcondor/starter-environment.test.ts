import { spawnSync } from 'node:child_process'
import { serverScript } from '../../../../src/cli/htcondor/launchers.js'
import {
  ENVIRONMENT_OF,
  readStarterEnvironment,
} from '../../../../src/engines/htcondor/starter-environment.js'

const READER = `${process.cwd()}/test/helpers/starter-environment-reader.ts`

describe('what HTCondor’s starter has given to a session’s server', () => {
  afterEach(() => {
    delete process.env[ENVIRONMENT_OF]
  })

  it('is its own environment where nothing stands between them', () => {
    expect(readStarterEnvironment().get('PATH')?.toString()).toBe(process.env.PATH)
  })

  it('is that of the launcher, byte for byte, of which the server itself gets nothing', () => {
    const register = `${process.cwd()}/test/helpers/register-typescript.mjs`
    const script = serverScript([process.execPath, '--import', register, READER])
    const environment = {
      PATH: process.env.PATH,
      NODE_OPTIONS: '--require=/missing.js',
      LD_LIBRARY_PATH: '/a b:',
      OPENSSL_CONF: '/missing.cnf',
      'BASH_FUNC_module%%': '() {  echo\n}',
    }
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', script, 'sh', 'an argument'], { env: environment })
    expect(stderr.toString()).toBe('')
    const { own, starter, args } = JSON.parse(stdout.toString())
    expect(own).toEqual([ENVIRONMENT_OF])
    expect(starter).toEqual(environment)
    expect(args).toEqual(['an argument'])
  })

  it.each(['1', 'x', ''])('is not read from a program that is not our parent: %p', (pid) => {
    process.env[ENVIRONMENT_OF] = pid
    expect(readStarterEnvironment).toThrow(
      expect.objectContaining({ code: 'denied', message: expect.stringContaining('it has ended') }),
    )
  })
})
