/**
 * COMPOSITIONs of the demonstration's plan: how a section's answers look as canonical openEHR JSON, and
 * whether what somebody sends is such a composition.
 *
 * @see openEHR RM, "EHR Information Model", COMPOSITION; "Data Structures", ITEM_TREE
 */
import { z } from 'zod'
import type { PlanField, PlanSection } from '../core/plan.js'
import { DATA_TYPES, nodesOf, type Values } from '../core/plan-values.js'

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

/** The section's answers, in the order of its form. */
const elements = (section: PlanSection, values: Values) =>
  section.fields.flatMap((field) => nodesOf(field, values[field.id] ?? ''))

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
  values: Values,
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
    value: z.union([z.string().max(20_000), z.boolean()]).optional(),
    magnitude: z.number().optional(),
    units: z.string().max(30).optional(),
    defining_code: z.looseObject({ code_string: z.string() }).optional(),
  }),
})
const cluster = z.looseObject({
  _type: z.literal('CLUSTER'),
  archetype_node_id: z.string(),
  items: z.array(element).min(1).max(50),
})
const item = z.discriminatedUnion('_type', [element, cluster])
type Element = z.infer<typeof element>

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
        data: z.looseObject({ _type: z.literal('ITEM_TREE'), items: z.array(item).max(300) }),
      }),
    )
    .length(1),
})

export type Composition = Readonly<Record<string, unknown>>

/** Per type, what is wrong with a value of the right DATA_VALUE. */
const FAULTS: Readonly<
  Partial<
    Record<PlanField['type'], (field: PlanField, value: Element['value']) => string | undefined>
  >
> = {
  date: (_, { value }) => (z.iso.date().safeParse(value).success ? undefined : 'not a date'),
  choice: (field, { defining_code: code }) =>
    field.options?.[code?.code_string ?? ''] ? undefined : 'not one of the options',
  choices: (field, { defining_code: code }) =>
    field.options?.[code?.code_string ?? ''] ? undefined : 'not one of the options',
  'yes-no': (_, { value }) => (typeof value === 'boolean' ? undefined : 'neither true nor false'),
  quantity: (field, { magnitude, units }) =>
    magnitude !== undefined && field.units?.[units ?? ''] ? undefined : 'not in its units',
  text: (_, { value }) => (typeof value === 'string' ? undefined : 'not a text'),
  'long-text': (_, { value }) => (typeof value === 'string' ? undefined : 'not a text'),
}

function faultsOf(fields: readonly PlanField[], node: z.infer<typeof item>): readonly string[] {
  const field = fields.find((each) => each.node === node.archetype_node_id)
  if (field === undefined) return ['a node that the template does not have']
  if (node._type === 'CLUSTER')
    return field.type === 'group'
      ? node.items.flatMap((each) => faultsOf(field.fields ?? [], each))
      : [`${field.node}: expected an ELEMENT`]
  if (field.type === 'group') return [`${field.node}: expected a CLUSTER`]
  const type = DATA_TYPES[field.type]
  if (node.value._type !== type) return [`${field.node}: expected ${type}`]
  const fault = FAULTS[field.type]?.(field, node.value)
  return fault === undefined ? [] : [`${field.node}: ${fault}`]
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
  const faults = items.flatMap((each) => faultsOf(section.fields, each))
  return faults.length > 0 ? { faults } : { template }
}
