import type { Script, Step } from './script.js'

/** Rounds of candidates, each of which is one start of a process for a failure that ends it. */
const ROUNDS_MAX = 400

/**
 * The smallest script that still fails, as far as taking away finds it.
 * @param failsFirst which of these scripts is the first to fail, if any does
 */
export async function minimise(
  script: Script,
  failsFirst: (candidates: readonly Script[]) => Promise<number | undefined>,
): Promise<Script> {
  let smallest = script
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const candidates = smallerThan(smallest)
    const failing = await failsFirst(candidates)
    const next = failing === undefined ? undefined : candidates[failing]
    if (next === undefined) return smallest
    smallest = next
  }
  return smallest
}

/** What is a step smaller, the boldest first. */
function smallerThan(script: Script): Script[] {
  const halves: Script[] = []
  for (
    let length = Math.ceil(script.length / 2);
    length >= 1;
    length = length === 1 ? 0 : Math.ceil(length / 2)
  ) {
    for (let at = 0; at < script.length; at += length) halves.push(script.toSpliced(at, length))
  }
  const steps = script.flatMap((step, at) => smallerSteps(step).map((smaller) => script.with(at, smaller)))
  return [...halves, ...steps]
}

function smallerSteps(step: Step): Step[] {
  const { bytes, count } = step
  const steps: Step[] = count > 1 ? [{ ...step, count: Math.floor(count / 2) }] : []
  for (
    let length = Math.ceil(bytes.length / 2);
    length >= 1;
    length = length === 1 ? 0 : Math.ceil(length / 2)
  ) {
    for (let at = 0; at < bytes.length; at += length) {
      steps.push({ ...step, bytes: Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]) })
    }
    if (bytes.length > 512 && length < 16) break // thousands of candidates that hardly differ
  }
  return steps
}
