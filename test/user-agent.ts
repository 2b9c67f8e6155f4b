/**
 * A browser by hand: plain HTTP on loopback, every byte as written, and cookies as Chromium keeps them
 * when third-party cookies are blocked. Redirects are followed by the test, or not at all.
 */
import { request } from 'node:http'
import { CookieJar } from './demo/sign-in.js'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
  /** Where it leads, if anywhere. */
  readonly location: URL | undefined
}

export interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as a form, in order; a name may stand twice. */
  readonly form?: Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  /** Sent as it is. */
  readonly body?: string
  /** The port to connect to, where it is not the address's: another node behind the same name. */
  readonly port?: number
  /** The address to come from, where it is not this machine's usual one: a proxy. */
  readonly from?: string
}

const pairsOf = (form: NonNullable<Sent['form']>): [string, string][] =>
  Array.isArray(form) ? form.map(([name, value]) => [name, value]) : Object.entries(form)

/** One request. The address is sent as it stands: `path` may be what no URL parser would leave alone. */
export function send(url: URL, sent: Sent = {}, path = url.pathname + url.search): Promise<Answer> {
  const body =
    sent.body ?? (sent.form ? new URLSearchParams(pairsOf(sent.form)).toString() : undefined)
  const method = sent.method ?? (body === undefined ? 'GET' : 'POST')
  const headers: Record<string, string> = {
    host: url.host,
    ...(sent.form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    ...sent.headers,
  }
  const port = sent.port ?? Number(url.port)
  return new Promise((resolve, reject) => {
    const call = request(
      {
        ...{ host: '127.0.0.1', port, method, path, headers, agent: false },
        ...(sent.from === undefined ? {} : { localAddress: sent.from }),
      },
      (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('error', reject)
        answer.on('end', () => {
          const { location } = answer.headers
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(parts).toString('utf8'),
            location: location === undefined ? undefined : new URL(location, url),
          })
        })
      },
    )
    // A server that refuses a long body may hang up before it was all sent: then its answer counts.
    call.on('error', reject)
    call.end(body)
  })
}

/** One browser profile: a window of its own, and a frame inside the GP system's page. */
export class UserAgent {
  readonly #top = new CookieJar()
  readonly #framed = new CookieJar()

  /** A request of the top-level window. */
  visit(url: URL, sent: Sent = {}): Promise<Answer> {
    return this.#go(this.#top, url, sent, 'document')
  }

  /** A request of the frame: it has a cookie jar of its own, partitioned by the site around it. */
  visitFramed(url: URL, sent: Sent = {}): Promise<Answer> {
    return this.#go(this.#framed, url, sent, 'iframe')
  }

  async #go(jar: CookieJar, url: URL, sent: Sent, dest: string): Promise<Answer> {
    const cookie = jar.header(url)
    const answer = await send(url, {
      ...sent,
      headers: {
        accept: 'text/html',
        'sec-fetch-dest': dest,
        'sec-fetch-mode': 'navigate',
        ...(cookie === '' ? {} : { cookie }),
        ...sent.headers,
      },
    })
    const cookies = answer.headers['set-cookie'] ?? []
    jar.keep(url, (Array.isArray(cookies) ? cookies : [cookies]) as string[])
    return answer
  }

  /** The window's jar, for the pretend provider's own sign-in walk. */
  get jar(): CookieJar {
    return this.#top
  }

  cookiesAt(url: URL): string {
    return this.#top.header(url)
  }
}

const plain = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

export interface Form {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

/** The forms of a page, with their hidden fields, in order. */
export function formsOf(page: string): readonly Form[] {
  return [...page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(
    ([, head = '', inside = '']) => {
      const fields = [...inside.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
        /name="([^"]*)"/.exec(input)?.[1] ?? '',
        plain(/value="([^"]*)"/.exec(input)?.[1] ?? ''),
      ])
      return {
        action: plain(/action="([^"]*)"/.exec(head)?.[1] ?? ''),
        fields: Object.fromEntries(fields),
      }
    },
  )
}

/** What a page says, as a reader sees it. */
export const wordsOf = (page: string): string =>
  plain(
    page
      .replace(/<(style|script|title)[\s\S]*?<\/\1>/g, ' ')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' '),
  ).trim()
