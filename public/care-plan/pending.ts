/**
 * What a launch must remember while the browser is away at the gateway: kept per launch under a random
 * name, so that two frames in one tab never share it, for as long as a sign-in may take.
 *
 * In a cross-site frame of a browser that blocks third-party cookies, touching `sessionStorage` throws
 * (measured in Chromium 156); a `Partitioned` cookie, which belongs to the frame's own host page, still
 * works. Access tokens are never kept in either.
 */
export interface Pending {
  /** The FHIR base that was launched from. */
  readonly iss: string
  /** The authorization server's own name, to compare with the `iss` of its answer (RFC 9207). */
  readonly issuer: string
  readonly tokenUri: string
  readonly openEhr: string
  readonly verifier: string
}

interface Shelf {
  set(key: string, value: string): void
  get(key: string): string | undefined
  drop(key: string): void
}

const PREFIX = 'care-plan-launch-'
const SECONDS = 900

const session: Shelf = {
  set: (key, value) => sessionStorage.setItem(PREFIX + key, value),
  get: (key) => sessionStorage.getItem(PREFIX + key) ?? undefined,
  drop: (key) => sessionStorage.removeItem(PREFIX + key),
}

const ATTRIBUTES = 'Path=/; Secure; SameSite=None; Partitioned'

function writeCookie(key: string, value: string, maxAge: number): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser here
  document.cookie = `${PREFIX}${key}=${value}; Max-Age=${maxAge}; ${ATTRIBUTES}`
}

const cookie: Shelf = {
  set: (key, value) => writeCookie(key, encodeURIComponent(value), SECONDS),
  get: (key) => {
    const start = `${PREFIX}${key}=`
    const found = document.cookie.split('; ').find((text) => text.startsWith(start))
    return found === undefined ? undefined : decodeURIComponent(found.slice(start.length))
  },
  drop: (key) => writeCookie(key, '', 0),
}

/** A browser that refuses a shelf throws; one that ignores it gives nothing back. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** @returns false when this browser will not remember: the launch cannot be completed in it. */
export function remember(key: string, pending: Pending): boolean {
  const text = JSON.stringify(pending)
  return [session, cookie].some((shelf) => {
    attempt(() => shelf.set(key, text))
    return attempt(() => shelf.get(key)) === text
  })
}

/** Gives back what {@link remember} kept, once: a reload or a second landing finds nothing. */
export function recall(key: string): Pending | undefined {
  if (!/^[A-Za-z0-9]{16,64}$/.test(key)) return undefined
  const found = [session, cookie].map((shelf) => {
    const text = attempt(() => shelf.get(key))
    attempt(() => shelf.drop(key))
    return text
  })
  const text = found.find((one) => one !== undefined && one !== '')
  return text === undefined ? undefined : attempt(() => JSON.parse(text) as Pending)
}
