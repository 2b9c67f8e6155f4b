/**
 * Pages that wait for what is worked out look again by themselves; what somebody types meanwhile stays. Without script
 * the page's own refresh does it, and forgets.
 */
type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

interface Kept {
  readonly again: Readonly<Record<string, string | boolean>>
  readonly focus: string
}

const isBox = (field: Field): field is HTMLInputElement =>
  field instanceof HTMLInputElement && (field.type === 'checkbox' || field.type === 'radio')

/** Whatever is seen; hidden fields are the page's own, and a new page has new ones. */
const fields = (): readonly Field[] =>
  [...document.querySelectorAll<Field>('main input, main textarea, main select')].filter(
    (field) => field.id !== '' && field.type !== 'hidden' && field.type !== 'file',
  )

function keep(): void {
  const again = Object.fromEntries(
    fields().map((field) => [field.id, isBox(field) ? field.checked : field.value]),
  )
  const kept: Kept = { again, focus: document.activeElement?.id ?? '' }
  history.replaceState(kept, '')
}

function restore({ again, focus }: Kept): void {
  for (const field of fields()) {
    const value = again[field.id]
    if (value === undefined) continue
    if (isBox(field)) field.checked = value === true
    else field.value = String(value)
  }
  document.getElementById(focus)?.focus({ preventScroll: true })
  history.replaceState(null, '')
}

const state = history.state as Kept | null
if (state?.again) restore(state)

const seconds = Number(document.querySelector<HTMLMetaElement>('meta[name=again]')?.content ?? 0)
if (seconds > 0)
  setTimeout(() => {
    keep()
    location.reload()
  }, seconds * 1000)
