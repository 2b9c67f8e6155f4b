/** What is kept sealed: nobody who reads the store can read it, and it opens under no other name than its own. */
import type { EncryptionKeys } from '../keys/encryption.js'

export interface Sealing {
  seal(name: string, value: unknown): Promise<string>
  /** @throws Error when it is not as it was sealed, or sealed under another name */
  open(name: string, sealed: string): Promise<unknown>
}

export const createSealing = ({ current, previous }: EncryptionKeys): Sealing => ({
  seal: (name, value) => current.wrap(name, JSON.stringify(value)),
  async open(name, sealed) {
    const text = await current.unwrap(name, sealed).catch((error: unknown) => {
      if (!previous) throw error
      return previous.unwrap(name, sealed)
    })
    return JSON.parse(text)
  },
})
