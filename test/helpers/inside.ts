import type { JobInside } from '../../src/job/inside.js'
import { localInside } from '../../src/job/local-inside.js'

/** What this process itself reaches. */
export function testInside(directory = process.cwd()): JobInside {
  return localInside({ place: async () => ({ directory, home: directory }) })
}
