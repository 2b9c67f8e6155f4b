/** The patient finder: a search box, a list in pages, and both by keyboard alone. */
import { type Found, findPatients } from './contents.js'
import { byId } from './elements.js'
import { showFound } from './finder-list.js'

/** How long after the last key the list is fetched, in milliseconds. */
const PAUSE = 150

const box = () => byId<HTMLInputElement>('search')
const results = () => [...byId('patients').querySelectorAll<HTMLButtonElement>('tbody button')]
const focusFirst = () => results()[0]?.focus()

/** From the search box down into the list, and back; the page keys turn it from anywhere in them. */
function keyMoves(at: number, turn: (by: number) => void): Readonly<Record<string, () => void>> {
  const all = results()
  const inList = { Home: focusFirst, End: () => all.at(-1)?.focus() }
  return {
    ArrowDown: () => all[at + 1]?.focus(),
    ArrowUp: () => (at > 0 ? all[at - 1] : box())?.focus(),
    PageDown: () => turn(1),
    PageUp: () => turn(-1),
    ...(at < 0 ? {} : inList),
  }
}

function onKey(event: KeyboardEvent, turn: (by: number) => void): void {
  const at = results().indexOf(event.target as HTMLButtonElement)
  const step = keyMoves(at, turn)[event.key]
  const elsewhere = at < 0 && event.target !== box()
  if (!step || elsewhere || event.altKey || event.ctrlKey || event.metaKey) return
  event.preventDefault()
  step()
}

/** Puts the cursor into the search box, what stands there marked so that typing replaces it. */
export function beginFinding(): void {
  box().focus()
  box().select()
}

/** @param first the first page, as it came with the desktop. @param open what a chart's number is for */
export function startFinder(first: Found, open: (chart: string) => void): void {
  const size = first.rows.length
  let page = first.page
  let asked = 0
  let timer = 0

  function show(found: Found): void {
    page = found.page
    showFound(found, { words: box().value, size, open })
  }
  async function ask(wanted: number, then: () => void = () => undefined): Promise<void> {
    clearTimeout(timer)
    asked += 1
    const mine = asked
    try {
      const found = await findPatients({ words: box().value, page: wanted })
      if (mine !== asked) return
      show(found)
      then()
    } catch (cause) {
      if (mine === asked) byId('found').textContent = (cause as Error).message
    }
  }
  const turn = (by: number) => {
    const { disabled } = byId<HTMLButtonElement>(by > 0 ? 'next' : 'previous')
    if (!disabled) void ask(page + by, focusFirst)
  }
  box().addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(() => void ask(1), PAUSE)
  })
  byId('finder-form').addEventListener('submit', (event) => {
    event.preventDefault()
    void ask(1, focusFirst)
  })
  byId('finder').addEventListener('keydown', (event) => onKey(event, turn))
  byId('previous').addEventListener('click', () => turn(-1))
  byId('next').addEventListener('click', () => turn(1))
  show(first)
}
