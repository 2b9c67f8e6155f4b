/** The API's own description, and whether an answer is as it says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { packageRoot } from '../../src/http/pages.js'
import type { Call, Said } from './commanding.js'

const FILE = join(packageRoot(), 'docs/openapi/console.yaml')
export const DOCUMENT: Said = parse(readFileSync(FILE, 'utf8'))

const BASE = '#/components/'

/** The schema that stands in a description, with what it refers to beside it. */
export function schemaAt(place: Said): z.ZodType {
  const schema = place.content['application/json'].schema
  const whole = { ...schema, $defs: DOCUMENT.components.schemas }
  const text = JSON.stringify(whole).replaceAll(`${BASE}schemas/`, '#/$defs/')
  return z.fromJSONSchema(JSON.parse(text)) as z.ZodType
}

const referred = (response: Said): Said =>
  response?.$ref ? DOCUMENT.components.responses[response.$ref.split('/').at(-1)] : response

/** `POST /drafts/dft_x/propose` as `['post', '/drafts/{draft}/propose']`. */
function operationOf(line: string): Said {
  const [method = '', address = ''] = line.split(' ')
  const [path = ''] = address.split('?')
  const found = Object.keys(DOCUMENT.paths).find((pattern) =>
    new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  )
  const operation = found && DOCUMENT.paths[found][method.toLowerCase()]
  if (!operation) throw new Error(`${line} is not described`)
  return operation
}

/** The same call, whose answer must be one that is described. */
export const answersAsDocumented =
  (call: Call): Call =>
  async (line, body) => {
    const { responses } = operationOf(line)
    const reply = await call(line, body)
    const response = referred(responses[reply.status] ?? responses.default)
    if (reply.status < 400 && !responses[reply.status])
      throw new Error(`${line} answered ${reply.status}`)
    const read = schemaAt(response).safeParse(reply.json)
    if (!read.success)
      throw new Error(`${line} ${reply.status}: ${read.error.message} in ${reply.text}`)
    return reply
  }
