/** Keeps answers that were used lately, so many and no more. */
export interface Cache<T> {
  get(key: string): T | undefined
  set(key: string, value: T): void
}

/**
 * Two generations: what is used moves to the younger one, and when that is full the older one goes as a whole. Whatever
 * was among the last `most / 2` different keys is still there, and a hit costs one look-up.
 *
 * @param most 0 keeps nothing
 */
export function createCache<T>(most: number): Cache<T> {
  const half = Math.floor(most / 2)
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  const set = (key: string, value: T): void => {
    if (half === 0) return
    if (young.size >= half && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }
  return {
    set,
    get(key) {
      const value = young.get(key)
      if (value !== undefined) return value
      const before = old.get(key)
      if (before !== undefined) set(key, before)
      return before
    },
  }
}
