/** Template definitions as the record gives them. @see openEHR REST API, "Definition", "ADL 1.4 template" */
import { z } from 'zod'
import { Refusal } from './refusal.js'

const invalid = (detail: string) => new Refusal('upstream_invalid', `openehr: ${detail}`)

const text = z.string().max(250)
const listed = z.array(
  z.object({
    template_id: text,
    concept: text.optional(),
    archetype_id: text.optional(),
    created_timestamp: text.optional(),
  }),
)

/** @throws Refusal upstream_invalid */
export function releaseTemplates(body: unknown, isSeen: (template: string) => boolean) {
  const read = listed.safeParse(body)
  if (!read.success) throw invalid('not a list of templates')
  return read.data.filter(({ template_id }) => isSeen(template_id))
}

const named = z.union([
  z.looseObject({ templateId: text }).transform(({ templateId }) => templateId),
  z.looseObject({ template_id: text }).transform(({ template_id }) => template_id),
  z
    .looseObject({ webTemplate: z.looseObject({ templateId: text }) })
    .transform(({ webTemplate }) => webTemplate.templateId),
])

/** A definition must say whose it is. @throws Refusal upstream_invalid */
export function requireTemplateNamed(body: unknown, template: string): void {
  if (named.safeParse(body).data !== template) throw invalid('another template than asked')
}
