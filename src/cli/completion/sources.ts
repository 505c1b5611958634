import { readdir, stat } from 'node:fs/promises'
import type { JobConnection } from '../../client/types.js'
import { COMPLETION_LINKS, COMPLETION_TIMEOUT_MS } from '../../core/limits.js'
import { printable } from '../../core/printable.js'
import { readEngineOptions } from '../arguments/engine-options.js'
import { splitPlace } from '../copy/locations.js'
import { listeningPorts } from '../open/listeners.js'
import { type Candidate, type Completion, startingWith } from './candidates.js'

/** The options that were given before. */
type Given = readonly { name: string; value: string | undefined }[]

/** What is not in the command line itself. Whatever can't be had is left out. */
export interface Sources {
  jobs(given: Given): Promise<Candidate[]>
  /** The ports that the job listens on. */
  ports(job: string, given: Given): Promise<Candidate[]>
  /** Files here, and JOB:PATH. */
  places(word: string, given: Given): Promise<Completion>
}

export const sources: Sources = { jobs, ports, places }

async function jobs(given: Given): Promise<Candidate[]> {
  // What carries a connection can't be asked which jobs there are.
  if (given.some(({ name }) => name === 'proxy-command')) return []
  const { listJobs } = await import('../../engines/list-jobs.js')
  const listed = await listJobs({
    ...readEngineOptions(given),
    timeoutMs: COMPLETION_TIMEOUT_MS,
    onFailure: () => undefined,
  })
  return listed.map(({ id, command }) => ({ value: id, meaning: printable(command.join(' ')) }))
}

async function ports(job: string, given: Given): Promise<Candidate[]> {
  return inJob(job, given, async ({ files }) =>
    (await listeningPorts(files)).map((port) => ({ value: String(port) })),
  )
}

async function places(word: string, given: Given): Promise<Completion> {
  const place = splitPlace(word)
  if (place !== undefined) {
    const { job, path } = place
    return {
      kind: 'words',
      candidates: await inJob(job, given, ({ files }) => remoteFiles(files, job, path)),
    }
  }
  // What may be a job's name may be a file's as well; anything else the shell knows better.
  if (/[/~]|^\./.test(word)) return { kind: 'files' }
  const [ofJobs, here] = await Promise.all([jobs(given), filesHere(word)])
  const candidates = ofJobs.map(({ value, meaning }) => ({ value: `${value}:`, meaning }))
  return { kind: 'words', candidates: [...startingWith(word, candidates), ...here] }
}

async function filesHere(word: string): Promise<Candidate[]> {
  const entries = await readdir('.', { withFileTypes: true }).catch(() => [])
  const names = entries.filter(({ name }) => isOffered(name, word))
  return Promise.all(
    names.map(async (entry) => {
      const isFolder = entry.isSymbolicLink()
        ? await stat(entry.name).then(
            (status) => status.isDirectory(),
            () => false,
          )
        : entry.isDirectory()
      return { value: isFolder ? `${entry.name}/` : entry.name }
    }),
  )
}

/** The names that may follow in a folder of the job. */
async function remoteFiles(files: JobConnection['files'], job: string, path: string): Promise<Candidate[]> {
  const [, folder = '', begun = ''] = /^(.*\/)?([^/]*)$/s.exec(path) ?? []
  const entries = (await files.readdir(folder === '' ? '.' : folder)).filter(({ name }) =>
    isOffered(name, begun),
  )
  let links = 0
  return Promise.all(
    entries.map(async ({ name, type }) => {
      // Each is a question to the job.
      const isFolder =
        type === 'link' && ++links <= COMPLETION_LINKS
          ? await files.stat(`${folder}${name}`).then(
              (status) => status.type === 'folder',
              () => false,
            )
          : type === 'folder'
      return { value: `${job}:${folder}${name}${isFolder ? '/' : ''}` }
    }),
  )
}

/** As shells have it: names with a dot before them only where that was typed. Others than text can't be typed. */
function isOffered(name: string, begun: string): boolean {
  const isHidden = name.startsWith('.') && !begun.startsWith('.')
  return name.startsWith(begun) && !isHidden && !name.includes('\ufffd') && printable(name) === name
}

/** A command that somebody else carries is not run for a key: it may cost, or ask. */
async function inJob(
  job: string,
  given: Given,
  look: (connection: JobConnection) => Promise<Candidate[]>,
): Promise<Candidate[]> {
  if (given.some(({ name }) => name === 'proxy-command')) return []
  const { connectToJob } = await import('../../engines/connect-to-job.js')
  const connection = await connectToJob(job, { ...readEngineOptions(given), signal: deadline() })
  try {
    return await look(connection)
  } finally {
    await connection.close()
  }
}

const deadline = (): AbortSignal => AbortSignal.timeout(COMPLETION_TIMEOUT_MS)
