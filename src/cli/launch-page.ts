/** A page that posts a launch by itself: a browser cannot post from an address. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Delivered } from '../demo/desktop-delivery.js'

type Form = Extract<Delivered, { style: 'form-post' }>

/** A launch token lives for a minute; what holds one need not live longer. */
const PAGE_LIVES_MS = 60_000

const attribute = (value: string): string =>
  value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

function pageOf({ action, fields }: Form): string {
  const inputs = fields.map(
    ({ name, value }) =>
      `<input type="hidden" name="${attribute(name)}" value="${attribute(value)}">`,
  )
  return `<!doctype html><meta charset="utf-8"><title>Launch</title><form method="post" action="${attribute(action)}">${inputs.join('')}<button>Open the care plan</button></form><script>document.forms[0].submit()</script>`
}

const REMOVE = `const [folder, ms] = process.argv.slice(1)
setTimeout(() => require('node:fs').rmSync(folder, { recursive: true, force: true }), Number(ms))`

/** Removes a folder later, by a process of its own: the command is done long before. */
export function removeAfter(folder: string, milliseconds: number): ChildProcess {
  const words = ['-e', REMOVE, folder, String(milliseconds)]
  const child = spawn(process.execPath, words, { detached: true, stdio: 'ignore' })
  child.unref()
  return child
}

/**
 * Writes the page, readable by its owner alone: where the caller says, who then removes it, or in a folder of
 * its own that goes when the launch has ended.
 *
 * @returns its address
 */
export async function postingPage(form: Form, place: string | undefined): Promise<string> {
  const folder = place === undefined ? await mkdtemp(join(tmpdir(), 'launch-')) : undefined
  const file = folder === undefined ? resolve(place ?? '') : join(folder, 'launch.html')
  await writeFile(file, pageOf(form), { mode: 0o600, flag: 'wx' })
  if (folder !== undefined) removeAfter(folder, PAGE_LIVES_MS)
  return `file://${file}`
}
