import type { Manual } from './manual/manual.js'

/** A word that `sshjob` takes in the place of a job. */
export interface Command {
  readonly name: string
  /** What stands behind it, in short. */
  readonly call: string
  readonly summary: string
  /** What it is for, its options and what they mean. Loaded where it is asked for only. */
  readonly manual: () => Promise<{ manual: Manual }>
}

/** The subcommands of `sshjob`, as its help and its completion list them. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'cp',
    call: 'SRC... DST',
    summary: 'copies files, one side being JOB:PATH',
    manual: () => import('./manual/cp.js'),
  },
  {
    name: 'ls',
    call: '[--json]',
    summary: 'lists the jobs that you can enter here',
    manual: () => import('./manual/ls.js'),
  },
  {
    name: 'open',
    call: 'JOB PORT',
    summary: 'shows a port of the job in the browser here',
    manual: () => import('./manual/open.js'),
  },
  {
    name: 'ssh-config',
    call: '--install',
    summary: "what ~/.ssh/config needs for 'ssh JOB.job'",
    manual: () => import('./manual/ssh-config.js'),
  },
  {
    name: 'proxy',
    call: 'JOB',
    summary: 'carries ssh to the job, as its ProxyCommand',
    manual: () => import('./manual/proxy.js'),
  },
  {
    name: 'htcondor',
    call: 'doctor',
    summary: "HTCondor's side of it: install, uninstall, doctor",
    manual: () => import('./manual/htcondor.js'),
  },
  {
    name: 'completion',
    call: 'SHELL',
    summary: 'prints the completion for bash, zsh or fish',
    manual: () => import('./manual/completion.js'),
  },
  {
    name: 'demo',
    call: '',
    summary: 'shows all of it with a small job',
    manual: () => import('./manual/demo.js'),
  },
]
