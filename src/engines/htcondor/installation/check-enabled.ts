import { findSetting, readSetting } from '../configuration.js'
import type { Finding } from './finding.js'

/** Whether a setting that opens jobs does so: for all of them without it, and for some where it is an expression. */
export async function checkEnabled(
  name: string,
  whenFalse: { text: string; advice: string },
): Promise<Finding[]> {
  const value = await readSetting(name)
  if (value === undefined || /^true$/i.test(value)) return []
  const where = (await findSetting(name)) ?? 'its defaults'
  if (/^false$/i.test(value)) {
    const { text, advice } = whenFalse
    return [{ level: 'broken', text: `${name} is false (${where}): ${text}`, advice }]
  }
  return [{ level: 'trap', text: `${name} (${where}) lets into some jobs only: ${value}` }]
}
