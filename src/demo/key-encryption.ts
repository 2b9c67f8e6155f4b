/** What the demonstration's gateway keeps its own keys under: made at first start, in the data directory, never shipped. */
import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The file that holds it, readable by its owner alone. Of two processes that start at once, one makes it for both. */
export function demoKeyEncryption(dataDir: string): string {
  const file = join(dataDir, 'demo-key-encryption')
  mkdirSync(dataDir, { recursive: true })
  if (isThere(file)) return file
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  rmSync(draft)
  return file
}

function isThere(file: string): boolean {
  try {
    return readFileSync(file, 'utf8').length > 0
  } catch {
    return false
  }
}
