/** Versions of which this process knows that nothing is wrong with them: judging one takes seconds, and never changes. */
const MOST_KNOWN = 200

/** By the hash of their files. What is wrong is not remembered: it is shown, and mended. */
export interface Soundness {
  has(hash: string): boolean
  add(hash: string): void
}

export function createSoundness(): Soundness {
  const known = new Set<string>()
  return {
    has: (hash) => known.has(hash),
    add(hash) {
      if (known.size >= MOST_KNOWN) known.clear()
      known.add(hash)
    },
  }
}
