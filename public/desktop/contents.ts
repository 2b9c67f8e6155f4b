/** What the desktop's own server says (src/demo/desktop.ts). */
export interface System {
  readonly id: string
  readonly name: string
  readonly rung: string
  readonly how: string
  readonly faults: readonly string[]
}
export interface User {
  readonly id: string
  readonly name: string
  readonly title: string
  readonly organization: string
}
export interface Chart {
  readonly chart: string
  readonly nhsNumber: string
  readonly title: string
  readonly given: string
  readonly family: string
  readonly birthDate: string
  readonly gender: string
  readonly address: string
  readonly phone: string
  readonly deceased?: string
  readonly problems: readonly { readonly text: string; readonly since: string }[]
  readonly allergies: readonly { readonly text: string; readonly reaction: string }[]
  readonly medication: readonly string[]
  readonly consultations: readonly {
    readonly date: string
    readonly kind: string
    readonly by: string
    readonly note: string
  }[]
  readonly toTry: string
}
/** A line of the patient finder. */
export interface Row {
  readonly chart: string
  readonly nhsNumber: string
  readonly title: string
  readonly given: string
  readonly family: string
  readonly birthDate: string
  readonly gender: string
  readonly address: string
  readonly deceased?: string
  readonly toTry: string
  /** One of those whom a newcomer begins with. */
  readonly first: boolean
}
export interface Found {
  readonly rows: readonly Row[]
  readonly total: number
  readonly page: number
  readonly pages: number
}
export interface Fault {
  readonly name: string
  readonly title: string
  readonly does: string
  readonly expected: Readonly<Record<string, string>>
}
export interface Contents {
  readonly gateway: string
  readonly app: string
  readonly systems: readonly System[]
  readonly users: readonly User[]
  /** The first page of the patients. */
  readonly found: Found
  readonly faults: readonly Fault[]
}

export type Launched = { readonly sent: string } & (
  | { readonly style: 'frame-url'; readonly url: string }
  | {
      readonly style: 'form-post'
      readonly action: string
      readonly fields: readonly { readonly name: string; readonly value: string }[]
    }
  | {
      readonly style: 'refused'
      readonly status: number
      readonly answer: Readonly<Record<string, unknown>>
    }
)

export interface Exchange {
  readonly at: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly sent: Readonly<Record<string, unknown>>
  readonly answered: Readonly<Record<string, unknown>>
}
export interface Stage {
  readonly name: string
  readonly title: string
  readonly state: 'done' | 'refused' | 'waiting' | 'unreached' | 'passed'
  readonly text: string
  readonly refusal?: {
    readonly code: string
    readonly text: string
    readonly reference?: string
    readonly unframed?: boolean
  }
  readonly facts: readonly { readonly label: string; readonly value: string }[]
  readonly entries: readonly (Readonly<Record<string, unknown>> & {
    readonly writer: string
    readonly seq: number
    readonly at: number
    readonly what: string
    readonly outcome: string
  })[]
  readonly traffic: readonly Exchange[]
}
export interface Inspection {
  readonly id: string
  readonly at: number
  readonly system: string
  readonly fault?: string
  readonly launch?: string
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  readonly stages: readonly Stage[]
  readonly complete: boolean
}

/** What came of a care plan that was closed. */
export interface Closed {
  readonly state: 'changed' | 'unchanged' | 'untold'
  readonly text: string
  readonly filed: readonly {
    readonly title: string
    readonly flag: string
    readonly at: string
    readonly by: string
    readonly text: readonly string[]
  }[]
  readonly notes: readonly string[]
  readonly bundle?: unknown
}

async function answer<T>(response: Response): Promise<T> {
  const value = (await response.json()) as T & { readonly error_description?: string }
  if (!response.ok)
    throw new Error(value.error_description ?? `The desktop said ${response.status}.`)
  return value
}

export const readContents = (): Promise<Contents> =>
  fetch('api/desktop').then((response) => answer<Contents>(response))

const post = (path: string, body: object): Promise<Response> =>
  fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** What is searched by is in a body: it may be an NHS number. */
export const findPatients = (asked: {
  readonly words: string
  readonly page: number
}): Promise<Found> => post('api/patients', asked).then((response) => answer<Found>(response))

export const readChart = (chart: string): Promise<Chart> =>
  fetch(`api/patients/${encodeURIComponent(chart)}`).then((response) => answer<Chart>(response))

export const readInspection = (sent: string): Promise<Inspection> =>
  fetch(`api/launches/${encodeURIComponent(sent)}`).then((response) => answer<Inspection>(response))

/** The GP system ends the launch and fetches what was written in it. */
export const closeLaunch = (sent: string): Promise<Closed> =>
  fetch(`api/launches/${encodeURIComponent(sent)}/close`, { method: 'POST' }).then((response) =>
    answer<Closed>(response),
  )

export const orderLaunch = (order: {
  readonly system: string
  readonly user: string
  readonly patient: string
  readonly fault?: string
}): Promise<Launched> => post('api/launch', order).then((response) => answer<Launched>(response))
