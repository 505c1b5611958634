import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey } from '../../src/ssh/keys.js'
import { describeClient, SSH } from '../helpers/clients.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { runProgram } from '../helpers/programs.js'
import { starterSuite } from '../helpers/starter.js'

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

describeClient(SSH, 'commands', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)

  beforeEach(() => start({ cwd: user().folder, env: { FROM_THE_JOB: 'yes' } }))

  it('runs in the environment and the folder of the job, without a word of its own', async () => {
    const result = await ssh.run([HOST, 'echo $FROM_THE_JOB $SSHJOB_JOB_ID; pwd'])
    expect(result).toEqual({ exitCode: 0, signal: null, stdout: `yes train\n${user().folder}\n`, stderr: '' })
  })

  it('gives its exit status', async () => {
    const codes = [1, 7, 254, 255]
    const results = await Promise.all(codes.map((code) => ssh.run([HOST, `exit ${code}`])))
    expect(results.map(({ exitCode }) => exitCode)).toEqual(codes)
  })

  it('gives the signal that ended it, which ssh turns into 255', async () => {
    const result = await ssh.run(['-v', HOST, 'kill -KILL $$'])
    expect(result.exitCode).toBe(255)
    expect(result.stderr).toContain('client_input_channel_req: channel 0 rtype exit-signal reply 0')
  })

  it('keeps stdout and stderr apart', async () => {
    const result = await ssh.run([HOST, 'seq 1 50000; seq 50001 100000 >&2'])
    const lines = (from: number): string => Array.from({ length: 50_000 }, (_, i) => `${from + i}\n`).join('')
    expect(result.stdout === lines(1)).toBe(true)
    expect(result.stderr === lines(50_001)).toBe(true)
  })

  it('passes 20 MB of any bytes both ways, unchanged', async () => {
    const data = randomBytes(20_000_000)
    const cat = ssh.start([HOST, 'cat'], { stdin: data })
    expect(await cat.ended).toEqual({ exitCode: 0, signal: null })
    expect(sha256(cat.stdout())).toBe(sha256(data))
  })

  it('reads nothing with -n', async () => {
    const result = await ssh.run(['-n', HOST, 'cat; echo done'], { stdin: 'not read' })
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' })
  })

  it('ends when nobody reads its output any more', async () => {
    const here = ssh.start([HOST, 'yes'])
    await here.waitFor(/y\n/)
    here.child.stdout.destroy()
    expect((await here.ended).exitCode).not.toBe(0)
    const there = await ssh.run([HOST, 'yes | head -1'])
    expect(there).toMatchObject({ exitCode: 0, stdout: 'y\n' })
  })

  it('ends when the job does not read its input any more', async () => {
    const program = ssh.start([HOST, 'head -c 2; exec 0<&-'])
    const feed = (): void => {
      while (program.child.stdin.writable && program.child.stdin.write('y\n'.repeat(4096)));
    }
    program.child.stdin.on('drain', feed)
    feed()
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
    expect(program.stdout().toString()).toBe('y\n')
  })

  it('runs a shell of its own without a terminal', async () => {
    const result = await ssh.run(['-T', HOST], { stdin: 'echo here; tty; exit 3\n' })
    expect(result).toMatchObject({ exitCode: 3, stdout: 'here\nnot a tty\n' })
  })

  it('gets the variables that SetEnv and SendEnv name, but none that changes the loader', async () => {
    const options = ['-o', 'SetEnv=MINE="a b" LD_PRELOAD=/nowhere.so', '-o', 'SendEnv=LANG LC_*']
    const env = { ...user().env, LANG: 'de_DE.UTF-8', LC_TIME: 'C' }
    const result = await ssh.run([...options, HOST, 'echo "$MINE,$LANG,$LC_TIME,$LD_PRELOAD"'], { env })
    expect(result).toMatchObject({ stdout: 'a b,de_DE.UTF-8,C,\n', stderr: '' })
  })

  it('gets bytes that are not UTF-8 as they are, in variables and in the command', async () => {
    const script = `printf 'exec ssh -F "$1" -o "SetEnv=RAW=a\\377b" ${HOST} "printenv RAW; echo c\\376d"' > s; sh s "$1"`
    const [, config = ''] = ssh.args()
    const result = await runProgram('sh', ['-c', `${script} | od -An -c`, 'sh', config], {
      env: user().env,
      cwd: user().folder,
    })
    expect(result.stdout.trim().split(/\s+/)).toEqual(['a', '377', 'b', '\\n', 'c', '376', 'd', '\\n'])
  })

  it('runs ten times at once', async () => {
    const runs = Array.from({ length: 10 }, (_, i) => ssh.run([HOST, `cat; exit ${i}`], { stdin: `${i}` }))
    const results = await Promise.all(runs)
    expect(results.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(
      Array.from({ length: 10 }, (_, i) => [i, `${i}`]),
    )
  })

  it('stays while it is quiet, and answers ssh that asks whether it is there', async () => {
    const options = ['-v', '-o', 'ServerAliveInterval=1', '-o', 'ServerAliveCountMax=1']
    const result = await ssh.run([...options, HOST, 'sleep 3.5; echo still here'])
    expect(result).toMatchObject({ exitCode: 0, stdout: 'still here\n' })
  })
})

describeClient(SSH, 'connections', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)

  it('carries several sessions of a ControlMaster, and goes on without the first', async () => {
    await start()
    const path = join(user().folder, 'cm')
    const master = ssh.start(['-M', '-S', path, HOST, 'echo up; cat'])
    await master.waitFor(/up/)
    const through = (command: string, stdin = '') => ssh.run(['-S', path, HOST, command], { stdin })
    const results = await Promise.all([
      through('exit 5'),
      through('cat', 'x'.repeat(300_000)),
      through('echo $SSH_CONNECTION >&2; exit 6'),
      through('kill -TERM $$'),
    ])
    expect(results.map(({ exitCode }) => exitCode)).toEqual([5, 0, 6, 255])
    expect(results[1]?.stdout.length).toBe(300_000)
    master.child.stdin.end()
    expect(await master.ended).toEqual({ exitCode: 0, signal: null })
    expect(master.stdout().toString()).toBe('up\n')
  })

  it('stays without a session (-N) until ssh is ended', async () => {
    const starter = await start()
    const idle = ssh.start(['-N', HOST])
    await starter.waitFor(/client authenticated/)
    await idle.stop()
    await starter.waitFor(/ info: session ended /)
  })

  it('names the signatures that the server takes, and uses the strict key exchange', async () => {
    await start()
    const { stderr } = await ssh.run(['-vvv', HOST, 'true'])
    expect(stderr).toMatch(/kex_input_ext_info: server-sig-algs=<ssh-ed25519,/)
    if (/OpenSSH_(9\.[6-9]|\d\d)/.test(stderr)) expect(stderr).toContain('will use strict KEX ordering')
    expect(stderr).toContain('kex-strict-s-v00@openssh.com')
  })

  it('fails when the known host key is another one', async () => {
    await start()
    expect((await ssh.run([HOST, 'true'])).exitCode).toBe(0)
    // A proxy that makes ssh trust the key of this session, and something that changes it behind its back.
    const known = join(user().folder, 'tampered')
    const file = join(user().folder, 'run/sshjob/openssh/known_hosts')
    writeFileSync(known, readFileSync(file))
    const result = await ssh.run(['-o', `UserKnownHostsFile=${known}`, HOST, 'echo reached'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(result.stderr).toContain('Host key verification failed')
  })

  it('fails with a key that is not the one in the hello', async () => {
    const starter = await start()
    const other = join(user().folder, 'other')
    writeFileSync(other, generateKey().privateKey, { mode: 0o600 })
    const [, config = ''] = ssh.args()
    const changed = join(user().folder, 'changed_config')
    writeFileSync(changed, readFileSync(config, 'utf8').replace(/IdentityFile .*/g, `IdentityFile ${other}`))
    const result = await ssh.run(['-F', changed, HOST, 'echo reached'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(result.stderr).toMatch(/Permission denied \(publickey\)/)
    await starter.waitFor(/ info: session ended /)
    expect(starter.stderr().toString()).not.toContain('client authenticated')
  })

  it('checks host keys by the configuration that sshjob prints', () => {
    const [, config = ''] = ssh.args()
    const setting = readFileSync(config, 'utf8').match(/StrictHostKeyChecking .*/g)
    expect(setting).toEqual(['StrictHostKeyChecking yes'])
  })

  it('fails with a sentence when there is no such job', async () => {
    const result = await ssh.run(['nosuch.job', 'true'])
    expect(result.exitCode).toBe(255)
    expect(result.stderr).toMatch(/^sshjob: No job nosuch of yours runs on this machine \(.*\): /)
  })

  it('is told what to do when the hello is missing', async () => {
    const starter = await start()
    const socket = join(user().folder, 'run/sshjob/train.sock')
    const script = `const s=require("net").connect("${socket}");process.stdin.pipe(s);s.pipe(process.stdout)`
    const proxy = `ProxyCommand=${process.execPath} -e '${script}'`
    const result = await ssh.run(['-o', proxy, HOST, 'true'])
    expect(result.exitCode).toBe(255)
    expect(result.stderr).toContain('use `sshjob proxy JOB` as ProxyCommand')
    await starter.waitFor(/hello-invalid/)
  })

  it('finds a job whose name has capitals, which ssh makes small', async () => {
    await start({ id: 'TrainBig' })
    expect(await ssh.run(['trainbig.job', 'echo $SSHJOB_JOB_ID'])).toMatchObject({ stdout: 'TrainBig\n' })
  })
})
