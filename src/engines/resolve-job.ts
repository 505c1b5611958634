import { SshjobError } from '../core/errors.js'
import type { Engine, FlagValues, JobAddress } from './engine.js'
import { engines, type SettingsByName } from './engines.js'

/** What a name may mean, in the order in which it is to be tried: never nothing. */
export interface ResolvedJob {
  readonly addresses: readonly JobAddress[]
  /** Where else it could be, and why it is not looked for there: the end of a sentence. */
  readonly elsewhere?: string | undefined
}

/**
 * The jobs that a name may mean: 'train' is one of this user on this machine, 'htcondor:1138.0' one of HTCondor, and
 * '1138.0' the former if there is such a job, else the latter. Nothing is asked for that.
 * @throws SshjobError 'usage' where the settings say which engine is meant, and it has no such names
 */
export function resolveJob(name: string, settings: SettingsByName = {}): ResolvedJob {
  const parse = (engine: Engine, text: string): JobAddress[] => {
    const address = engine.parse(text, settings[engine.name] ?? {})
    return address === undefined ? [] : [address]
  }
  const prefixed = engines.flatMap((engine) => {
    const prefix = `${engine.prefix}:`
    return engine.prefix !== undefined && name.startsWith(prefix)
      ? parse(engine, name.slice(prefix.length))
      : []
  })
  if (prefixed.length > 0) return { addresses: prefixed }

  // Whoever says where to look means a job there, and none of this machine's.
  const meant = engines.filter((engine) => isSought(engine, settings[engine.name]))
  if (meant.length > 0) {
    const addresses = meant.flatMap((engine) => parse(engine, name))
    if (addresses.length > 0) return { addresses }
    const what = meant.map(({ title, ids }) => `${title} has no job '${name}': ${ids}`)
    throw new SshjobError('usage', `${what.join('; ')}.`)
  }
  // Whether an engine is here is looked up for those alone that know such a name.
  const known = engines.flatMap((engine) => {
    const addresses = parse(engine, name)
    return addresses.length === 0 ? [] : [{ addresses, absence: engine.absence, isHere: engine.isHere() }]
  })
  return {
    addresses: known.flatMap(({ addresses, isHere }) => (isHere ? addresses : [])),
    elsewhere: known.find(({ isHere }) => !isHere)?.absence,
  }
}

/** Whether a setting says where jobs of this engine are looked for. */
function isSought({ flags }: Engine, settings: FlagValues = {}): boolean {
  return Object.entries(flags).some(([flag, { finds }]) => finds && settings[flag] !== undefined)
}

/**
 * Opens the first of these that there is.
 * @param open fails with 'job-not-found' where there is none; it gets what to say then of where else it could be
 */
export async function openFirst<T>(
  { addresses, elsewhere }: ResolvedJob,
  open: (address: JobAddress, elsewhere: string | undefined) => Promise<T>,
): Promise<T> {
  const last = addresses.at(-1)
  for (const address of addresses) {
    try {
      return await open(address, elsewhere)
    } catch (error) {
      const isMissing = error instanceof SshjobError && error.code === 'job-not-found'
      if (!isMissing || address === last) throw error
    }
  }
  throw new SshjobError('internal', 'A name means one job at least.')
}

/** Whether these two, with a colon between them, name a job of an engine: 'htcondor' and '1138.0'. */
export function isPrefixed(prefix: string, id: string): boolean {
  return engines.some((engine) => engine.prefix === prefix && engine.parse(id, {}) !== undefined)
}
