import { SshjobError } from '../../core/errors.js'

/** What the words of docker, kubectl, screen and batch systems are called here, where there is no job of that name. */
const HABITS: Readonly<Record<string, (words: readonly string[]) => string>> = {
  ...same(['list', 'ps', 'jobs', 'status', 'top', 'queue'], () => "'sshjob ls' lists jobs."),
  ...same(['exec', 'run'], (words) => `'sshjob ${command(words)}' runs a command in a job.`),
  ...same(
    ['attach', 'connect', 'console', 'enter', 'join', 'login', 'sh', 'shell', 'ssh', 'terminal'],
    (words) => `'sshjob ${words[0] ?? 'JOB'}' is a terminal in a job.`,
  ),
  ...same(['copy', 'get', 'put', 'scp'], () => "'sshjob cp SRC JOB:DST' copies files."),
  ...same(
    ['forward', 'port-forward', 'tunnel'],
    () => "'sshjob open JOB PORT' forwards a port of a job, and so does -L.",
  ),
  ...same(
    ['create', 'new', 'start', 'submit'],
    () => "'sshjob-server --job-id JOB -- COMMAND' starts a job.",
  ),
  ...same(
    ['cancel', 'delete', 'kill', 'remove', 'rm', 'stop'],
    (words) =>
      `'sshjob ${words[0] ?? 'JOB'} kill PID' ends a process of a job; 'sshjob ls --json' has the pids.`,
  ),
  ...same(
    ['log', 'logs'],
    (words) => `'sshjob ${words[0] ?? 'JOB'} tail -f FILE' shows a file of a job as it grows.`,
  ),
  ...same(['config'], () => "'sshjob ssh-config' is for ~/.ssh/config."),
  ...same(['version'], () => "'sshjob --version' says which it is."),
}

/** Whether a word is one of those. */
export function isHabit(word: string | undefined): boolean {
  return word !== undefined && Object.hasOwn(HABITS, word)
}

/**
 * The error of words that were taken for a job and its command, with what to write instead.
 * @returns the same error where nothing of it is known
 */
export function withHabit(error: unknown, [word = '', ...rest]: readonly string[]): unknown {
  const habit = Object.hasOwn(HABITS, word) ? HABITS[word] : undefined
  if (habit === undefined || !(error instanceof SshjobError)) return error
  const first = rest.findIndex((one) => !one.startsWith('-'))
  const instead = habit(first < 0 ? [] : rest.slice(first))
  const { code, message, retry } = error
  const sentence =
    code === 'job-not-found' ? `There is no job ${word} here: ${instead}` : `${message} ${instead}`
  return new SshjobError(code, sentence, { retry, cause: error })
}

function same(
  words: readonly string[],
  habit: (words: readonly string[]) => string,
): Record<string, (words: readonly string[]) => string> {
  return Object.fromEntries(words.map((word) => [word, habit]))
}

function command([job = 'JOB', ...words]: readonly string[]): string {
  const rest = words[0] === '--' ? words.slice(1) : words
  return [job, ...(rest.length === 0 ? ['COMMAND'] : rest)].join(' ')
}
