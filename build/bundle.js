/**
 * Builds what a browser loads: `public/<name>/` → `dist/public/<name>/`.
 *
 * An entry point is a `.ts` that a page of its folder names (`<script src="./launch.js">` → launch.ts)
 * or that is named after its folder (public/desktop/desktop.ts). Everything else that is not TypeScript
 * is copied. Run by `npm start` and `npm test`; nothing that it makes is committed.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, transform } from 'esbuild'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)

/**
 * fhirclient comes as CommonJS for old browsers and for Node as well. `debug` would write tokens to the
 * console of anyone who once switched it on; the other two are what every browser of today has built in.
 */
const FHIRCLIENT = {
  alias: {
    debug: join(ROOT, 'build/quiet.cjs'),
    'cross-fetch': join(ROOT, 'build/quiet.cjs'),
    'isomorphic-webcrypto': join(ROOT, 'build/quiet.cjs'),
  },
  define: { FHIRCLIENT_PURE: 'true', 'process.env.NODE_ENV': '"production"' },
}

const source = (path) => readFile(join(ROOT, path), 'utf8')

async function folders() {
  const entries = await readdir(join(ROOT, 'public'), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

async function entryPoints(name) {
  const files = await readdir(join(ROOT, 'public', name))
  const pages = files.filter((file) => file.endsWith('.html'))
  const texts = await Promise.all(pages.map((page) => source(`public/${name}/${page}`)))
  const named = texts.flatMap((text) =>
    [...text.matchAll(/<script[^>]*\ssrc="(?:\.\/)?([\w-]+)\.js"/g)].map((match) => match[1]),
  )
  return [...new Set([...named, name])]
    .map((stem) => `${stem}.ts`)
    .filter((ts) => files.includes(ts))
}

/** The NHS styles without their web fonts: no page of ours asks another site for anything. */
async function nhsStyles() {
  const css = await readFile(
    require.resolve('nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.css'),
    'utf8',
  )
  return css
    .replace(/@font-face\{[^}]*\}/g, '')
    .replace(/url\(\/assets\/[^)]*\)/g, 'none')
    .replace(/\/\*# sourceMappingURL=.*?\*\//, '')
}

/** A browser leaves out what it cannot read of a style sheet, silently, and half of a page looks otherwise. @throws Error */
async function requireReadable(name) {
  const files = await readdir(join(ROOT, 'public', name))
  for (const file of files.filter((one) => one.endsWith('.css'))) {
    const css = await source(`public/${name}/${file}`)
    const { warnings } = await transform(css, { loader: 'css', logLevel: 'silent' })
    const said = warnings.map(({ text, location }) => `line ${location?.line}: ${text}`)
    if (said.length > 0) throw new Error(`public/${name}/${file} ${said.join('; ')}`)
  }
}

async function bundle(name, styles, out) {
  const from = join(ROOT, 'public', name)
  const to = join(out, name)
  await requireReadable(name)
  await rm(to, { recursive: true, force: true })
  await mkdir(to, { recursive: true })
  const entries = await entryPoints(name)
  const scripts = build({
    ...FHIRCLIENT,
    entryPoints: entries.map((entry) => join(from, entry)),
    outdir: to,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  })
  const copies = cp(from, to, { recursive: true, filter: (path) => !path.endsWith('.ts') })
  await Promise.all([scripts, copies, writeFile(join(to, 'nhsuk.css'), styles)])
}

/**
 * @param out where to; `dist/public` unless told
 * @param only which of the folders; all unless told
 */
export async function buildPublic(out = join(ROOT, 'dist/public'), only = undefined) {
  const [all, styles] = await Promise.all([folders(), nhsStyles()])
  const names = only ?? all
  await Promise.all(names.map((name) => bundle(name, styles, out)))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildPublic()
