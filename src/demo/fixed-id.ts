/** Ids that are the same at every first start. */
import { createHash } from 'node:crypto'

/** A UUID for a text. @see RFC 9562 §5.8 */
export function fixedId(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
