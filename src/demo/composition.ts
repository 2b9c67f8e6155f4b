/**
 * COMPOSITIONs of the demonstration's plan: how a section's answers look as canonical openEHR JSON, and
 * whether what somebody sends is such a composition.
 *
 * @see openEHR RM, "EHR Information Model", COMPOSITION; "Data Structures", ITEM_TREE
 */
import { z } from 'zod'
import type { PlanField, PlanSection } from '../core/plan.js'

const COMPOSITION = 'openEHR-EHR-COMPOSITION.care_plan.v0'
const EVALUATION = 'openEHR-EHR-EVALUATION.care_plan_section.v0'

const text = (value: string) => ({ _type: 'DV_TEXT', value })
const code = (terminology: string, value: string) => ({
  _type: 'CODE_PHRASE',
  terminology_id: { _type: 'TERMINOLOGY_ID', value: terminology },
  code_string: value,
})
const coded = (terminology: string, value: string, label: string) => ({
  _type: 'DV_CODED_TEXT',
  value: label,
  defining_code: code(terminology, value),
})

function dataValue(field: PlanField, value: string) {
  if (field.type === 'date') return { _type: 'DV_DATE', value }
  const label = field.options?.[value]
  return label === undefined ? text(value) : coded('local', value, label)
}

/** The section's answers, in the order of its form. */
const elements = (section: PlanSection, values: Readonly<Record<string, string>>) =>
  section.fields
    .filter((field) => values[field.id] !== undefined)
    .map((field) => ({
      _type: 'ELEMENT',
      name: text(field.title),
      archetype_node_id: field.node,
      value: dataValue(field, values[field.id] ?? ''),
    }))

const evaluation = (section: PlanSection, items: ReturnType<typeof elements>) => ({
  _type: 'EVALUATION',
  name: text(section.title),
  archetype_node_id: EVALUATION,
  language: code('ISO_639-1', 'en'),
  encoding: code('IANA_character-sets', 'UTF-8'),
  subject: { _type: 'PARTY_SELF' },
  data: { _type: 'ITEM_TREE', name: text('Tree'), archetype_node_id: 'at0001', items },
})

/** A section's answers (by field id) as a COMPOSITION without `uid`: the record gives that. */
export const compositionOf = (
  section: PlanSection,
  values: Readonly<Record<string, string>>,
  composer: string,
  startTime: string,
) => ({
  _type: 'COMPOSITION',
  name: text(section.title),
  archetype_node_id: COMPOSITION,
  archetype_details: {
    _type: 'ARCHETYPED',
    archetype_id: { _type: 'ARCHETYPE_ID', value: COMPOSITION },
    template_id: { _type: 'TEMPLATE_ID', value: section.template },
    rm_version: '1.1.0',
  },
  language: code('ISO_639-1', 'en'),
  territory: code('ISO_3166-1', 'GB'),
  category: coded('openehr', '433', 'event'),
  composer: { _type: 'PARTY_IDENTIFIED', name: composer },
  context: {
    _type: 'EVENT_CONTEXT',
    start_time: { _type: 'DV_DATE_TIME', value: startTime },
    setting: coded('openehr', '238', 'other care'),
  },
  content: [evaluation(section, elements(section, values))],
})

const element = z.looseObject({
  _type: z.literal('ELEMENT'),
  archetype_node_id: z.string(),
  value: z.looseObject({
    _type: z.string(),
    value: z.string().max(20_000),
    defining_code: z.looseObject({ code_string: z.string() }).optional(),
  }),
})

const composition = z.looseObject({
  _type: z.literal('COMPOSITION'),
  archetype_details: z.looseObject({ template_id: z.looseObject({ value: z.string() }) }),
  composer: z.looseObject({ _type: z.string(), name: z.string().min(1).max(200).optional() }),
  context: z.looseObject({
    start_time: z.looseObject({ value: z.iso.datetime({ offset: true, local: true }) }),
  }),
  content: z
    .array(
      z.looseObject({
        _type: z.literal('EVALUATION'),
        data: z.looseObject({ _type: z.literal('ITEM_TREE'), items: z.array(element).max(100) }),
      }),
    )
    .length(1),
})

export type Composition = Readonly<Record<string, unknown>>

const TYPES: Readonly<Record<PlanField['type'], string>> = {
  text: 'DV_TEXT',
  'long-text': 'DV_TEXT',
  date: 'DV_DATE',
  choice: 'DV_CODED_TEXT',
  choices: 'DV_CODED_TEXT',
  'yes-no': 'DV_BOOLEAN',
  quantity: 'DV_QUANTITY',
  group: 'CLUSTER',
}

function faultOf(
  field: PlanField | undefined,
  value: z.infer<typeof element>['value'],
): string | undefined {
  if (field === undefined) return 'a node that the template does not have'
  if (value._type !== TYPES[field.type]) return `${field.node}: expected ${TYPES[field.type]}`
  if (field.type === 'date' && !z.iso.date().safeParse(value.value).success)
    return `${field.node}: not a date`
  if (field.type === 'choice' && !field.options?.[value.defining_code?.code_string ?? ''])
    return `${field.node}: not one of the options`
  return undefined
}

/** The template of a composition that fits the form, or what is wrong with it. */
export function checkComposition(
  value: unknown,
  form: readonly PlanSection[],
): { readonly template: string } | { readonly faults: readonly string[] } {
  const read = composition.safeParse(value)
  if (!read.success) return { faults: read.error.issues.map((issue) => issue.path.join('/')) }
  const template = read.data.archetype_details.template_id.value
  const section = form.find((each) => each.template === template)
  if (section === undefined) return { faults: ['archetype_details/template_id: unknown template'] }
  const items = read.data.content[0]?.data.items ?? []
  const faults = items.flatMap((item) => {
    const field = section.fields.find((each) => each.node === item.archetype_node_id)
    return faultOf(field, item.value) ?? []
  })
  return faults.length > 0 ? { faults } : { template }
}
