/**
 * oidc-provider, for the demonstration only. It warns on Node 20 of a runtime that it no longer lists, on
 * which it works: that one line, and no other, is kept from a newcomer's first screen.
 */
const warn = console.warn
console.warn = (...words: unknown[]): void => {
  if (!String(words[0]).includes('oidc-provider WARNING: Unsupported runtime')) warn(...words)
}
const library = await import('oidc-provider')
console.warn = warn

export const { Provider, errors, interactionPolicy } = library
