/**
 * The same cases in each run, so that a change is to blame for a failure. Other cases: SSHJOB_FUZZ_SEED=NUMBER, or
 * `random`. A failure prints its seed and the smallest case.
 */
export const FUZZ_SEED: number =
  process.env.SSHJOB_FUZZ_SEED === 'random'
    ? Math.floor(Math.random() * 2 ** 31)
    : Number(process.env.SSHJOB_FUZZ_SEED ?? 20_261)
