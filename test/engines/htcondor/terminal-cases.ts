import { setTimeout as delay } from 'node:timers/promises'
import { openScreen, type Screen } from '../../helpers/screen.js'
import { type Case, type Context, enter, runningJob } from './case.js'

export async function onScreen(
  { pool, folder }: Context,
  args: readonly string[],
  use: (screen: Screen) => Promise<void>,
): Promise<void> {
  // The screen stays when the program has ended.
  const command = `${pool.line('alice', args)}; echo "ended with $?"; cat`
  const screen = openScreen({ folder, command, env: process.env })
  try {
    await use(screen)
  } finally {
    screen.close()
  }
}

export const TERMINAL_CASES: readonly Case[] = [
  {
    title: 'an interactive shell, with its welcome and the size of the window',
    run: (context) =>
      onScreen(context, [...context.client.command, context.job], async (screen) => {
        await screen.waitFor(
          /^Welcome to slot\S+@ep\.pool\.test!\nYour condor job is running with pid\(s\) \d+\.$/m,
        )
        screen.enter('PS1="> "; pwd; echo $FROM_THE_JOB; tty; stty size')
        await screen.waitFor(/^\/home\/alice\nyes\n\/dev\/pts\/\d+\n30 100$/m)
        screen.resize(90, 20)
        screen.enter('stty size')
        await screen.waitFor(/^20 90$/m)
        // Before it runs, bash itself would be what is interrupted.
        screen.enter("sh -c 'echo run-ning | tr -d -; exec sleep 1000'")
        await screen.waitFor(/^running$/m)
        screen.press('C-c')
        await screen.waitFor(/\^C\n>$/)
        screen.enter('echo status $?')
        await screen.waitFor(/^status 130$/m)
      }),
  },
  {
    title: 'the notice of TMOUT',
    run: async (context) => {
      const job = await runningJob(context, 'environment = "TMOUT=4000"')
      await onScreen(context, [...context.client.command, job], (screen) =>
        screen.waitFor(/^You will be logged out after 4000 seconds of inactivity\.$/m),
      )
      await context.pool.get('alice', ['condor_rm', job])
    },
  },
  {
    title: '`condor_submit -interactive`',
    client: 'condor_ssh_to_job',
    run: async (context) => {
      const { pool } = context
      const ask = ['condor_q', '-constraint', 'InteractiveJob =?= true', '-af', 'JobStatus']
      await onScreen(context, ['condor_submit', '-interactive'], async (screen) => {
        await screen.waitFor(/^Welcome to slot\S+@ep\.pool\.test!$/m)
        screen.enter('PS1="> "; echo "[$_CONDOR_SLOT]"')
        await screen.waitFor(/^\[slot\S+\]$/m)
        // What the job did until now was to wait for this session.
        while ((await pool.run('alice', ['pgrep', '-f', '^/bin/sh -c .*sleep 180'])).exitCode === 0)
          await delay(100)
        expect(await pool.get('alice', ask)).toBe('2')
        screen.enter('exit')
        await screen.waitFor(/^ended with 0$/m)
        while ((await pool.get('alice', ask)) !== '') await delay(100)
      })
    },
  },
  {
    title: '`-shells` chooses the shell',
    run: async (context) => {
      const which = 'readlink /proc/$$/exe\n'
      const { shells } = context.client.options
      const dash = await enter(context, [shells, '/no/such/shell,/bin/dash', context.job], which)
      expect(dash.stdout).toMatch(/dash\n$/)
      expect((await enter(context, [context.job], which)).stdout).toMatch(/bash\n$/)
    },
  },
  {
    title: '`-X`: a program of the job on the display',
    run: async ({ pool, client, job }) => {
      // By TCP alone, in the pool's network: nothing in this machine's /tmp.
      const only = ['-listen', 'tcp', '-nolisten', 'unix', '-nolisten', 'local', '-nolock']
      const display = ['Xvfb', '-noreset', '-ac', ...only, '-displayfd', '1']
      const screen = pool.startBeside(display)
      await screen.waitFor(/^\d+\n/)
      const number = screen.stdout().toString().trim()
      const command = [...client.command, '-X', job, 'echo $DISPLAY; xset q']
      const result = await pool.run('alice', ['env', `DISPLAY=127.0.0.1:${number}`, ...command])
      await screen.stop()
      expect(result.stdout).toMatch(/^\S+:\d+\.0\n/)
      expect(result.stdout).toContain('Screen Saver')
    },
  },
]
