/** What a person can do something about: shown as one sentence, without a stack. */
export class Problem extends Error {}
