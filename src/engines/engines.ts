import type { Engine } from './engine.js'
import { htcondor } from './htcondor/htcondor.js'

/** All that jobs may be run by besides our own starter; an id that two of them know is the first one's. */
export const engines: readonly Engine[] = [htcondor]

/** A job of an engine. */
export interface EngineAddress {
  engine: Engine
  id: string
}

/** The job that 'htcondor:1138.0' names, whether or not the engine is here; undefined for a name without prefix. */
export function prefixedAddress(name: string): EngineAddress | undefined {
  for (const engine of engines) {
    if (!name.startsWith(`${engine.name}:`)) continue
    const id = engine.recognise(name.slice(engine.name.length + 1))
    if (id !== undefined) return { engine, id }
  }
  return undefined
}

/** The job of an engine that is here which a plain name like '1138.0' could be. */
export function plainAddress(name: string): EngineAddress | undefined {
  for (const engine of engines) {
    const id = engine.recognise(name)
    if (id !== undefined && engine.isHere()) return { engine, id }
  }
  return undefined
}
