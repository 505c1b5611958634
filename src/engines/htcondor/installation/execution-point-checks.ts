import fs from 'node:fs'
import path from 'node:path'
import { endOfFixes, isOlder, withoutFixesSince } from '../../../core/node-releases.js'
import { VERSION } from '../../../core/version.js'
import { KOFFI_PLATFORM } from '../../../process/koffi-package.js'
import { splitArguments } from '../arguments.js'
import { findSetting, readConfigurationFolder, readSetting } from '../configuration.js'
import { findTool } from '../tools.js'
import { checkEnabled } from './check-enabled.js'
import { currentCopy } from './copies.js'
import type { Finding } from './finding.js'
import { commandIn } from './launchers.js'
import { readPrefix, SETTINGS_FILE, settingsIn } from './settings-file.js'
import { countStartersBefore } from './starters.js'
import { type ServerSettings, tryServer } from './trial.js'
import { runUnprivileged } from './unprivileged.js'

/** HTCondor's defaults. */
const SSHD = '/usr/sbin/sshd'
const SSHD_ARGUMENTS = '-i -e -f %f'
const KEYGEN = '/usr/bin/ssh-keygen'
const KEYGEN_ARGUMENTS = "-N '' -C '' -q -f %f -t rsa"
const SCRIPTS = ['condor_ssh_to_job_sshd_setup', 'condor_ssh_to_job_shell_setup']

/** The machine where jobs run. */
export async function checkExecutionPoint(): Promise<Finding[]> {
  const settings = await readServerSettings()
  const whenFalse = {
    text: 'nobody is let into a job here.',
    advice: 'Remove that line: jobs that start from then on can be entered.',
  }
  return [
    ...(await checkEnabled('ENABLE_SSH_TO_JOB', whenFalse)),
    ...(await checkUse(settings)),
    ...(await checkScripts(settings)),
    ...(await checkServer(settings)),
    ...(await checkContainers()),
  ]
}

async function readServerSettings(): Promise<ServerSettings> {
  const read = async (name: string, fallback: string): Promise<string> =>
    (await readSetting(name)) ?? fallback
  return {
    server: [
      await read('SSH_TO_JOB_SSHD', SSHD),
      ...splitArguments(await read('SSH_TO_JOB_SSHD_ARGS', SSHD_ARGUMENTS)),
    ],
    keygen: [
      await read('SSH_TO_JOB_SSH_KEYGEN', KEYGEN),
      ...splitArguments(await read('SSH_TO_JOB_SSH_KEYGEN_ARGS', KEYGEN_ARGUMENTS)),
    ],
    template: await read(
      'SSH_TO_JOB_SSHD_CONFIG_TEMPLATE',
      path.join((await readSetting('LIB')) ?? '/usr/lib/condor', 'condor_ssh_to_job_sshd_config_template'),
    ),
  }
}

async function checkUse({ server }: ServerSettings): Promise<Finding[]> {
  const file = path.join(await readConfigurationFolder(), SETTINGS_FILE)
  if (!fs.existsSync(file)) {
    return [
      {
        level: 'trap',
        text: `Sessions are served by ${server[0]}: sshjob is not installed for HTCondor here.`,
        advice: 'As root: sshjob htcondor install (see docs/htcondor.md for what works better then)',
      },
    ]
  }
  const text = fs.readFileSync(file, 'utf8')
  const prefix = readPrefix(text, file)
  for (const [name, value] of settingsIn(text)) {
    const found = await readSetting(name)
    if (found === value) continue
    const where = (await findSetting(name)) ?? 'from the environment'
    return [
      {
        level: 'broken',
        text: `sshjob is installed in ${prefix} and not used: ${name} is ${found} (${where}).`,
        advice: 'Remove that setting, or put it into a file that is read earlier.',
      },
    ]
  }
  return [
    { level: 'ok', text: `Sessions are served by the copy of sshjob in ${prefix}.` },
    ...checkVersion(prefix),
    ...(await checkLauncher(server, prefix)),
    ...checkStarters(file),
  ]
}

function checkVersion(prefix: string): Finding[] {
  const copy = currentCopy(prefix)
  if (copy === undefined || copy.startsWith(`${VERSION}-`)) return []
  return [
    {
      level: 'trap',
      text: `The copy is ${copy}, and this is sshjob ${VERSION}.`,
      advice: `To bring it up to date: sshjob htcondor install --prefix ${prefix}`,
    },
  ]
}

async function checkLauncher([launcher = '']: readonly string[], prefix: string): Promise<Finding[]> {
  const command = commandIn(fs.readFileSync(launcher, 'utf8'))
  const program = command?.pop()
  if (command === undefined || program === undefined) {
    return [
      {
        level: 'trap',
        text: `${launcher} was written by another version of sshjob.`,
        advice: `To bring it up to date: sshjob htcondor install --prefix ${prefix}`,
      },
    ]
  }
  return [...(await checkNode(command, prefix)), ...(await checkKoffi(command, program))]
}

/** Nobody but install brings it up to date: no package of the system's has it. */
async function checkNode(command: readonly string[], prefix: string): Promise<Finding[]> {
  const version = await versionOf(command)
  if (version === undefined) return [] // that it does not run is said elsewhere
  const other = findTool('node')
  const onSystem = (other && (await versionOf([other]))) ?? process.version
  return [describeNode({ version, others: [process.version, onSystem], prefix })]
}

async function versionOf(node: readonly string[]): Promise<string | undefined> {
  const { failure, stdout } = await runUnprivileged([...node, '--version'])
  return failure === undefined ? stdout.trim() : undefined
}

/** @param others versions that are on this machine, and could be in the copy */
export function describeNode(
  { version, others, prefix }: { version: string; others: readonly string[]; prefix: string },
  now = new Date(),
): Finding {
  const day = endOfFixes(version)
  const install = `sshjob htcondor install --prefix ${prefix}`
  if (withoutFixesSince(version, now) !== undefined) {
    const text = `The copy's Node.js is ${version}, which gets no security updates any more, since ${day}.`
    return { level: 'trap', text, advice: `With a newer Node.js: ${install}` }
  }
  const newer = others.find((other) => isOlder(version, other))
  if (newer !== undefined) {
    const text = `The copy's Node.js is ${version}, and the one of this machine is ${newer}.`
    return { level: 'trap', text, advice: `To bring it up to date: ${install}` }
  }
  const until = day === undefined ? '' : `; there are security updates for it until ${day}`
  return {
    level: 'ok',
    text: `The copy's Node.js is ${version}, which only 'sshjob htcondor install' brings up to date${until}.`,
  }
}

/** What starts sessions is loaded with the first one: a check of the configuration would not show that it can't be. */
async function checkKoffi(command: readonly string[], program: string): Promise<Finding[]> {
  const addon = path.join(path.dirname(program), '../node_modules', KOFFI_PLATFORM)
  const { failure } = await runUnprivileged([...command, '-e', 'require(process.argv[1])', addon])
  if (failure === undefined) return []
  return [
    {
      level: 'broken',
      text: `Sessions can't be started: ${failure}`,
      advice: 'As root, with a Node.js that can: sshjob htcondor install',
    },
  ]
}

function checkStarters(file: string): Finding[] {
  const count = countStartersBefore(fs.statSync(file).mtime)
  if (count === 0) return []
  return [
    {
      level: 'trap',
      text: `${count} of the jobs here started before ${file} was written, and are entered as it was before.`,
    },
  ]
}

async function checkScripts({ template }: ServerSettings): Promise<Finding[]> {
  const folder = (await readSetting('LIBEXEC')) ?? '/usr/libexec/condor'
  const missing = [...SCRIPTS.map((name) => path.join(folder, name)), template].filter(
    (file) => !fs.existsSync(file),
  )
  return missing.map((file) => ({
    level: 'broken',
    text: `${file} is missing: HTCondor makes a session's settings with it.`,
    advice: "Install HTCondor's packages again.",
  }))
}

async function checkServer(settings: ServerSettings): Promise<Finding[]> {
  const [server = '', keygen = ''] = [settings.server[0], settings.keygen[0]]
  const failure = await tryServer(settings)
  if (failure === undefined) {
    return [
      { level: 'ok', text: 'A key can be made, and the server starts and takes the settings of HTCondor.' },
    ]
  }
  const [program, name] =
    failure.what === 'key' ? [keygen, 'SSH_TO_JOB_SSH_KEYGEN'] : [server, 'SSH_TO_JOB_SSHD']
  return [
    {
      level: 'broken',
      text: `${program} (${name}) failed as a user without rights: ${failure.why}`,
      advice: fs.existsSync(program)
        ? 'Its file system must not be mounted noexec, and users have to be able to enter its folder.'
        : 'It is not there. As root: sshjob htcondor install, which brings all that a session needs.',
    },
  ]
}

async function checkContainers(): Promise<Finding[]> {
  const runtimes = [await readSetting('SINGULARITY'), await readSetting('DOCKER')]
  const there = runtimes.filter((program) => program !== undefined && fs.existsSync(program))
  if (there.length === 0) return []
  return [
    {
      level: 'trap',
      text: `Jobs in containers (${there.join(', ')}) are entered in HTCondor's own way, and its limits hold there.`,
      advice: 'docs/htcondor.md lists them.',
    },
  ]
}
