import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express, { type RequestHandler, type Response } from 'express'
import nunjucks from 'nunjucks'
import { journeyOf } from './journey.js'
import { pagePolicy } from './security.js'

/** The package's folder, whether we run from `src` or from `dist/src`. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (
    !existsSync(join(folder, 'package-lock.json')) &&
    !existsSync(join(folder, 'Dockerfile'))
  ) {
    const up = dirname(folder)
    if (up === folder) throw new Error('the package folder was not found')
    folder = up
  }
  return folder
}

const VIEWS = join(packageRoot(), 'src/http/views')
const NHSUK = join(packageRoot(), 'node_modules/nhsuk-frontend/dist')

const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader([VIEWS, NHSUK]), {
  autoescape: true,
  throwOnUndefined: false,
})

export interface PageSettings {
  readonly emergencyText: string
  readonly support: string
}

export interface Pages {
  /**
   * Sends a page, framed only by the journey's frame ancestors.
   * @param lead origins that the page's forms may end at, besides ours
   */
  send(
    res: Response,
    status: number,
    view: string,
    data: Readonly<Record<string, unknown>>,
    lead?: readonly string[],
  ): void
}

export function createPages(settings: PageSettings): Pages {
  return {
    send(res, status, view, data, lead = []) {
      const { frameAncestors, connects } = journeyOf(res)
      pagePolicy(res, frameAncestors, lead, connects)
      res.status(status).type('html')
      res.send(environment.render(`${view}.njk`, { ...settings, ...data }))
    },
  }
}

/** The NHS styles without their web fonts: no page of ours asks another site for anything. */
const nhsStyles = (): string =>
  readFileSync(join(NHSUK, 'nhsuk/nhsuk-frontend.min.css'), 'utf8')
    .replace(/@font-face\{[^}]*\}/g, '')
    .replace(/url\(\/assets\/[^)]*\)/g, 'none')
    .replace(/\/\*# sourceMappingURL=.*?\*\//, '')

/** Styles and scripts of our pages: the NHS design system's and our own, cached by the browser for an hour. */
export function assets(): RequestHandler {
  const router = express.Router()
  const styles = nhsStyles()
  router.get('/nhsuk.css', (_req, res) => {
    res.set('Cache-Control', 'public, max-age=3600').type('css').send(styles)
  })
  // The editor of the console is bundled; its pages work without.
  const bundled = join(packageRoot(), 'dist/public/console')
  router.use('/console', express.static(bundled, { index: false, maxAge: 3_600_000 }))
  router.use(express.static(join(VIEWS, 'assets'), { index: false, maxAge: 3_600_000 }))
  return router
}
