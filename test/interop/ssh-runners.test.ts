import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { closeBridges, openBridge } from '../helpers/bridge.js'
import { clientKeys } from '../helpers/client-keys.js'
import { BORG, DOCKER, describeClient, MOSH, RCLONE, RESTIC } from '../helpers/clients.js'
import { findProgram } from '../helpers/needs.js'
import { HOST, writeSshConfig } from '../helpers/openssh.js'
import { type ProgramResult, runProgram, type StartOptions } from '../helpers/programs.js'
import { openScreen } from '../helpers/screen.js'
import { starterSuite } from '../helpers/starter.js'

const QUIET = { exitCode: 0, stdout: '', stderr: '' }

/** A job, files here, and an `ssh` first in PATH that has the configuration that sshjob printed, as ~/.ssh/config would. */
function runnerSuite() {
  const { user, start } = starterSuite()
  let folder: string
  beforeEach(async () => {
    folder = mkdtempSync(join(user().folder, 'r-'))
    for (const name of ['bin', 'there', 'tree', 'tree/inner']) mkdirSync(join(folder, name))
    const config = await writeSshConfig(user())
    const ssh = `#!/bin/sh\nexec '${findProgram('ssh')}' -F '${config}' "$@"\n`
    writeFileSync(join(folder, 'bin/ssh'), ssh, { mode: 0o755 })
    writeFileSync(join(folder, 'tree/data'), Buffer.alloc(3_000_001, 'data of a file\n'))
    for (let n = 0; n < 5; n++) writeFileSync(join(folder, `tree/inner/file ${n}`), `content ${n}`)
  })
  const run = (
    command: string,
    args: readonly string[],
    options: StartOptions = {},
  ): Promise<ProgramResult> => {
    const { env } = user()
    const PATH = `${join(folder, 'bin')}:${env.PATH}`
    return runProgram(command, args, { cwd: folder, ...options, env: { ...env, ...options.env, PATH } })
  }
  const expectSameTree = async (copy: string): Promise<void> => {
    expect(await run('diff', ['-r', 'tree', copy])).toMatchObject(QUIET)
  }
  return { user, start, run, expectSameTree, folder: () => folder }
}

describeClient(RESTIC, 'backups', () => {
  const { start, run, expectSameTree, folder } = runnerSuite()

  it('makes a repository in the job, backs up a tree into it, checks it and restores from it', async () => {
    await start()
    const env = { RESTIC_PASSWORD: 'secret', RESTIC_CACHE_DIR: join(folder(), 'cache') }
    const restic = (...args: string[]): Promise<ProgramResult> =>
      run('restic', ['-q', '-r', `sftp:${HOST}:${folder()}/there/repository`, ...args], { env })
    expect(await restic('init')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await restic('backup', 'tree')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await restic('check')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await restic('restore', 'latest', '--target', 'restored')).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
    await expectSameTree('restored/tree')
  }, 60_000)
})

describeClient(BORG, 'backups, where the job has borg', () => {
  const { start, run, expectSameTree, folder } = runnerSuite()

  it('makes a repository in the job, backs up a tree into it, checks it and restores from it', async () => {
    await start()
    const env = { BORG_PASSPHRASE: 'secret', BORG_BASE_DIR: join(folder(), 'base') }
    const repository = `ssh://${HOST}${folder()}/there/repository`
    const borg = (args: readonly string[], cwd = folder()): Promise<ProgramResult> =>
      run('borg', args, { env, cwd })
    expect(await borg(['init', '-e', 'repokey', repository])).toMatchObject({ exitCode: 0 })
    expect(await borg(['create', `${repository}::one`, 'tree'])).toMatchObject(QUIET)
    expect(await borg(['check', repository])).toMatchObject(QUIET)
    mkdirSync(join(folder(), 'restored'))
    expect(await borg(['extract', `${repository}::one`], join(folder(), 'restored'))).toMatchObject(QUIET)
    await expectSameTree('restored/tree')
  }, 60_000)
})

describeClient(RCLONE, 'files', () => {
  const { user, start, run, expectSameTree, folder } = runnerSuite()
  closeBridges()

  it('copies a tree into the job and back, by one connection', async () => {
    await start()
    const { identities, hostKeys } = await clientKeys(user())
    for (const [from, to] of [
      ['tree', 'there/copy'],
      ['there/copy', 'back'],
    ] as const) {
      const { port } = await openBridge(user())
      const known = hostKeys().map((key) => `[127.0.0.1]:${port} ${key}\n`)
      writeFileSync(join(folder(), 'known'), known.join(''))
      const options = `host=127.0.0.1,port=${port},user=anybody,key_file=${identities.ed25519},known_hosts_file=known,shell_type=unix`
      const remote = `:sftp,${options}:${folder()}/there/copy`
      const places = to === 'back' ? [remote, to] : [from, remote]
      const quiet = ['-q', '--config', 'rclone.conf', '--transfers', '1', '--checkers', '1']
      expect(await run('rclone', [...quiet, 'copy', ...places])).toMatchObject({ exitCode: 0 })
      await expectSameTree(to)
    }
  }, 60_000)
})

/** As much of Docker's engine as its client asks for before anything else. */
async function serveEngine(path: string): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('Api-Version', '1.41').setHeader('Content-Type', 'application/json')
    const answers: Readonly<Record<string, unknown>> = {
      '/version': { Version: '9.8.7', ApiVersion: '1.41', MinAPIVersion: '1.12', Os: 'linux', Arch: 'amd64' },
      '/containers/json': [],
    }
    const name = (request.url ?? '').replace(/^\/v[\d.]+/, '').replace(/\?.*/, '')
    response.end(name === '/_ping' ? 'OK' : JSON.stringify(answers[name] ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

describeClient(DOCKER, 'an engine that the job reaches (docker -H ssh://)', () => {
  const { start, run, folder } = runnerSuite()

  it('asks it for its version and its containers', async () => {
    const engine = await serveEngine(join(folder(), 'engine'))
    try {
      await start({ env: { DOCKER_HOST: `unix://${folder()}/engine` } })
      const docker = (...args: string[]): Promise<ProgramResult> =>
        run('/usr/bin/docker', ['--config', 'docker', '-H', `ssh://${HOST}`, ...args])
      expect(await docker('version', '--format', '{{.Server.Version}}')).toMatchObject({
        exitCode: 0,
        stdout: '9.8.7\n',
      })
      expect((await docker('ps')).stdout).toMatch(/^CONTAINER ID .*\n$/)
    } finally {
      engine.closeAllConnections()
      await new Promise((resolve) => engine.close(resolve))
    }
  })
})

describeClient(MOSH, 'a terminal over UDP, started by hand', () => {
  const { user, start, run, folder } = runnerSuite()

  it('shows what runs in the job, and passes what is typed', async () => {
    await start()
    const script = 'echo "in $SSHJOB_JOB_ID"; read line; echo "got $line"; read line'
    writeFileSync(join(folder(), 'there/script'), script)
    const command = `LC_ALL=C.UTF-8 mosh-server new -i 127.0.0.1 -- sh '${folder()}/there/script'`
    const { stdout, stderr } = await run('ssh', [HOST, command])
    const [, port, key] = /MOSH CONNECT (\d+) (\S+)/.exec(stdout) ?? []
    const [, server] = /detached, pid = (\d+)/.exec(stderr) ?? []
    expect([port, server]).toEqual([expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/)])
    const env = { ...user().env, LC_ALL: 'C.UTF-8', MOSH_KEY: key }
    const screen = openScreen({ folder: user().folder, command: `mosh-client 127.0.0.1 ${port}`, env })
    try {
      await screen.waitFor(/^in train$/m)
      screen.enter('hello')
      await screen.waitFor(/^got hello$/m)
    } finally {
      screen.close()
      execFileSync('sh', ['-c', `kill ${server} 2>/dev/null; true`])
    }
  })
})
