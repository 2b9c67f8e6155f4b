// While something is worked out: how far it is, in its place, and the page anew once it is done. Nothing is moved or taken
// from under whoever reads or types; without script a link looks again.
const EVERY = 2000

/** Whatever is seen; hidden fields are the page's own, and a new page has new ones. */
const fields = () =>
  [...document.querySelectorAll('main input, main textarea, main select')].filter(
    ({ id, type }) => id !== '' && type !== 'hidden' && type !== 'file',
  )
const member = ({ type }) => (type === 'checkbox' || type === 'radio' ? 'checked' : 'value')

/** The page anew, with what stands in its fields. */
function anew() {
  const typed = Object.fromEntries(fields().map((field) => [field.id, field[member(field)]]))
  history.replaceState({ typed, focus: document.activeElement?.id ?? '' }, '')
  location.reload()
}

function restore({ typed, focus }) {
  for (const field of fields())
    if (Object.hasOwn(typed, field.id)) field[member(field)] = typed[field.id]
  document.getElementById(focus)?.focus({ preventScroll: true })
  history.replaceState(null, '')
}

async function again() {
  const here = [...document.querySelectorAll('[data-under-way]')]
  const answer = await fetch(location.href, { cache: 'no-store' }).catch(() => undefined)
  if (!answer) return later()
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const now = [...page.querySelectorAll('[data-under-way]')]
  if (!answer.ok || now.length !== here.length) return anew()
  for (const [i, each] of here.entries()) each.replaceWith(document.importNode(now[i], true))
  later()
}
const later = () => setTimeout(again, EVERY)

if (history.state?.typed) restore(history.state)
if (document.querySelector('[data-under-way]')) later()
