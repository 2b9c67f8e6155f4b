// While something is worked out: how far it is, in its place, and the page anew once it is done. Nothing is moved or taken
// from under whoever reads or types; without script a link looks again.
const EVERY = 2000

async function again() {
  const here = [...document.querySelectorAll('[data-under-way]')]
  const answer = await fetch(location.href, { cache: 'no-store' }).catch(() => undefined)
  if (!answer) return later()
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const now = [...page.querySelectorAll('[data-under-way]')]
  if (!answer.ok || now.length !== here.length) return location.reload()
  for (const [i, each] of here.entries()) each.replaceWith(document.importNode(now[i], true))
  later()
}
const later = () => setTimeout(again, EVERY)

if (document.querySelector('[data-under-way]')) later()
