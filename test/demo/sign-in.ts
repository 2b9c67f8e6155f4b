/** Signs a person in at the pretend provider by plain HTTP, as a browser without scripts would. */

interface Cookie {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly path: string
}

/** Cookies as a browser keeps them: by host and path, and whatever the port. */
export class CookieJar {
  #cookies: readonly Cookie[] = []

  header(url: URL): string {
    return this.#cookies
      .filter(({ host, path }) => host === url.hostname && url.pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  keep(url: URL, setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const [pair = '', ...attributes] = line.split(/;\s*/)
      const [name = '', ...value] = pair.split('=')
      const attribute = (wanted: string): string | undefined =>
        attributes.find((a) => a.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1)
      const cookie = {
        name,
        value: value.join('='),
        host: url.hostname,
        path: attribute('path') ?? '/',
      }
      const others = this.#cookies.filter(
        (c) => c.name !== name || c.host !== cookie.host || c.path !== cookie.path,
      )
      const expires = attribute('expires')
      const gone =
        Number(attribute('max-age') ?? '1') <= 0 ||
        (expires !== undefined && Date.parse(expires) <= Date.now())
      this.#cookies = gone ? others : [...others, cookie]
    }
  }
}

export interface SignInChoice {
  /** `id` of config/demo/people.yaml. */
  readonly person: string
  readonly assurance?: 2 | 3
  /** Role profile, for a person who has several. */
  readonly role?: string
  readonly cancel?: boolean
}

/** One request in the name of the jar's browser. Redirects are not followed. */
export async function visit(jar: CookieJar, url: URL, form?: URLSearchParams): Promise<Response> {
  const response = await fetch(url, {
    method: form ? 'POST' : 'GET',
    redirect: 'manual',
    headers: { accept: 'text/html', cookie: jar.header(url) },
    ...(form ? { body: form } : {}),
  })
  jar.keep(url, response.headers.getSetCookie())
  return response
}

interface Form {
  readonly action: string
  readonly step: string | undefined
  readonly fields: URLSearchParams
}

const plain = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')

function readForm(page: string): Form | undefined {
  const form = /<form\b([^>]*)>([\s\S]*?)<\/form>/.exec(page)
  const [, head = '', inside = ''] = form ?? []
  const action = /action="([^"]*)"/.exec(head)?.[1]
  if (action === undefined) return undefined
  const fields = new URLSearchParams()
  for (const [input] of inside.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(input)?.[1]
    if (name) fields.set(name, plain(/value="([^"]*)"/.exec(input)?.[1] ?? ''))
  }
  return { action: plain(action), step: /data-step="(\w+)"/.exec(head)?.[1], fields }
}

function fill({ fields, step }: Form, { person, assurance = 3, role, cancel }: SignInChoice): void {
  if (cancel) fields.set('cancel', 'yes')
  if (step === 'person') {
    fields.set('person', person)
    fields.set('assurance', `${assurance}`)
  }
  if (step === 'role' && role !== undefined) fields.set('role', role)
}

/**
 * Follows a sign-in from its authorization URL until the provider sends the browser elsewhere, and
 * answers where to: the callback, with its parameters. Pages that ask are answered from `choice`.
 *
 * @throws Error with the page, when the provider shows one that cannot be answered
 */
export async function signInAt(
  start: URL,
  choice: SignInChoice,
  jar: CookieJar = new CookieJar(),
): Promise<URL> {
  let url = start
  let form: URLSearchParams | undefined
  for (let step = 0; step < 15; step++) {
    const response = await visit(jar, url, form)
    const location = response.headers.get('location')
    if (location !== null) {
      url = new URL(location, url)
      form = undefined
      if (url.origin !== start.origin) return url
      continue
    }
    const page = await response.text()
    const asked = readForm(page)
    if (!asked || response.status >= 400) throw new Error(`${response.status} ${url.href}: ${page}`)
    fill(asked, choice)
    url = new URL(asked.action, url)
    form = asked.fields
  }
  throw new Error('the provider asks without end')
}

/** Signs out at the provider: confirms what it asks, and follows to its last page. */
export async function signOutAt(start: URL, jar: CookieJar): Promise<string> {
  let url = start
  let form: URLSearchParams | undefined
  for (let step = 0; step < 10; step++) {
    const response = await visit(jar, url, form)
    const location = response.headers.get('location')
    const page = await response.text()
    const asked = readForm(page)
    if (location === null && !asked) return page
    url = new URL(location ?? asked?.action ?? '', url)
    form = undefined
    if (location === null && asked) {
      form = asked.fields
      form.set('logout', 'yes')
    }
  }
  throw new Error('the provider does not come to an end')
}
