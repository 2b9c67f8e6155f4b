/** The console's pages work without script. With it, the text of policies gets an editor. */
import { autocompletion } from '@codemirror/autocomplete'
import { yaml } from '@codemirror/lang-yaml'
import { lintGutter } from '@codemirror/lint'
import { EditorState, type Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { basicSetup } from 'codemirror'
import { cedarLanguage, completing } from './cedar.js'
import { checking } from './checking.js'
import type { Words } from './words.js'
import { completingYaml } from './yaml.js'

const NONE: Words = {
  keys: [],
  ...{ roles: [], actions: [], resources: {}, principal: [], context: [], values: {} },
}

/** From `<script type="application/json" id="words">`; nothing where the page has none. */
function wordsOf(page: Document): Words {
  const text = page.getElementById('words')?.textContent
  return text ? { ...NONE, ...(JSON.parse(text) as Partial<Words>) } : NONE
}

const LOOK = EditorView.theme({
  '&': { border: '2px solid #4c6272', fontSize: '16px', background: '#fff', maxHeight: '70vh' },
  '&.cm-focused': { outline: '4px solid #ffeb3b', outlineOffset: '0', borderColor: '#212b32' },
  '.cm-scroller': {
    fontFamily: 'ui-monospace, Menlo, Consolas, monospace',
    lineHeight: '1.5',
    overflow: 'auto',
  },
})

function languageOf(name: string | undefined): Extension {
  if (name === 'yaml')
    return [yaml(), autocompletion({ override: [completingYaml(wordsOf(document))] })]
  return [cedarLanguage, autocompletion({ override: [completing(wordsOf(document))] })]
}

function placeOf({ file, line }: { readonly file: string; readonly line?: number }, own: string) {
  if (file === own) return line === undefined ? '' : `Line ${line}: `
  return [file, line].filter(Boolean).join(':') + (file ? ': ' : '')
}

/** How many problems there are, told to everybody, a screen reader's user included. */
function reporter(file: string): Parameters<typeof checking>[0]['report'] {
  const place = document.getElementById('problems')
  return (problems) => {
    if (!place) return
    const elsewhere = problems.filter((problem) => problem.file !== file)
    const inFile = problems.filter((problem) => problem.file === file)
    const count = inFile.filter(({ severity }) => severity !== 'warning').length
    const here = count === 0 ? 'No problem in this file.' : `${count} to mend in this file.`
    // Those of this file first, each with its line: what a pointer shows in the text, everybody reads here.
    const others = [...inFile, ...elsewhere].slice(0, 20).map((problem) => {
      const item = document.createElement('li')
      item.textContent = `${placeOf(problem, file)}${problem.text}`
      return item
    })
    const list = document.createElement('ul')
    list.append(...others)
    const said = document.createElement('p')
    said.textContent = elsewhere.length > 0 ? `${here} ${elsewhere.length} elsewhere.` : here
    place.replaceChildren(said, ...(others.length > 0 ? [list] : []))
  }
}

/**
 * Puts an editor in a textarea's place and keeps the textarea filled, which is what the form sends. It stands in a
 * shadow root: there its styles need no leave from the page's policy.
 */
function edit(area: HTMLTextAreaElement): void {
  const { language, file = '', check, token = '' } = area.dataset
  const host = document.createElement('div')
  host.className = 'editor'
  area.before(host)
  area.hidden = true
  const root = host.attachShadow({ mode: 'open' })
  const label = document.querySelector(`label[for="${CSS.escape(area.id)}"]`)?.textContent?.trim()
  const extensions = [
    ...[basicSetup, LOOK, lintGutter(), languageOf(language), EditorView.lineWrapping],
    EditorState.readOnly.of(area.readOnly),
    EditorView.contentAttributes.of({
      ...{ 'aria-label': label || file, 'aria-multiline': 'true' },
      // It is reached by the tabulator anyhow; this says so to those who check it.
      tabindex: '0',
    }),
    EditorView.updateListener.of(({ docChanged, state }) => {
      if (docChanged) area.value = state.doc.toString()
    }),
    ...(check ? [checking({ address: check, token, file, report: reporter(file) })] : []),
  ]
  new EditorView({ doc: area.value, extensions, parent: root, root })
}

for (const area of document.querySelectorAll<HTMLTextAreaElement>('textarea[data-language]'))
  edit(area)
