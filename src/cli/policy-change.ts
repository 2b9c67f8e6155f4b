/** A change of the policies at a running gateway, in the name of a member: the console's own steps and gates. */
import type { Json } from '../core/json.js'
import type { PolicyFiles } from '../policy/source.js'
import { type Command, need, type Outside, text, Usage, type Values } from './command.js'
import { type Calls, GATEWAY_OPTION, withConsole } from './console-calls.js'
import { type Difference, tellDifference } from './policy-diff.js'
import { folderSide, versionNumber } from './policy-sources.js'

/** @throws Usage */
function draftIn(values: Values): string {
  const draft = need(values, 'draft')
  if (!/^dft_[\w-]{1,40}$/.test(draft)) throw new Usage('--draft: expected a draft such as dft_…')
  return draft
}

async function tell(outside: Outside, { worked }: Calls, name: string, path: string) {
  const found = await worked(`GET ${path}`)
  const roles = (found.roles as readonly { readonly sentence: string }[]).map((one) => one.sentence)
  tellDifference(outside, name, { ...found, roles } as unknown as Difference)
}

const LOCAL = 'policies/local/'
/** The files of a layer: a central draft changes no local one, and the other way round. */
const ofLayer = (files: PolicyFiles, layer: string): PolicyFiles =>
  Object.fromEntries(
    Object.entries(files).filter(([name]) =>
      layer === 'central' ? !name.startsWith(LOCAL) : name.startsWith(`policies/${layer}/`),
    ),
  )

/** The draft that was named, or a new one. */
async function begun({ call }: Calls, values: Values, layer: string): Promise<Json> {
  if (values.draft !== undefined)
    return (await call(`GET /drafts/${draftIn(values)}`)).draft as Json
  const [title, ticket] = [need(values, 'title'), text(values, 'ticket') ?? '']
  return (await call('POST /drafts', { title, ticket, layer })).draft as Json
}

/** Puts a folder's files into a draft, and says what that changes. */
async function filled(outside: Outside, calls: Calls, values: Values, files: PolicyFiles) {
  const draft = await begun(calls, values, text(values, 'layer') ?? 'central')
  const { id, generation, layer } = draft
  outside.say(`Draft ${id}`)
  const own = ofLayer(files, String(layer))
  const edited = await calls.call(`PUT /drafts/${id}/files`, { generation, files: own })
  await tell(outside, calls, 'What it changes', `/drafts/${id}/diff`)
  return edited.draft as Json
}

const FILL_OPTIONS = {
  from: { type: 'string', value: 'DIR', help: 'the folder that holds the policies' },
  title: { type: 'string', help: 'what is to change, in a few words' },
  ticket: { type: 'string', help: 'where it was decided' },
  layer: {
    type: 'string',
    help: 'central (the default), or local/ with an organisation or a region',
  },
  draft: {
    type: 'string',
    value: 'DRAFT',
    help: 'a draft that there is, in the place of a new one',
  },
  ...GATEWAY_OPTION,
} as const

/** What must be there before anybody signs in. @throws Usage */
function needToBegin(values: Values): void {
  if (values.draft === undefined) need(values, 'title')
  else draftIn(values)
}

export const policyImport: Command = {
  name: 'policy import',
  summary: 'put a folder’s policies into a draft at a running gateway, and stop there',
  help: `
The draft is then read, changed and proposed in the console, or by policy propose --draft. Prints an address and a code:
who is signed in to the console lets the command in there, and it acts in their name.

  launch-gateway policy import --from checkout/config --title "Call handlers read symptoms"`,
  options: FILL_OPTIONS,
  async run(outside, values) {
    const { files } = await folderSide(need(values, 'from'))
    needToBegin(values)
    await withConsole(outside, values, async (calls) => {
      await filled(outside, calls, values, files)
    })
  },
}

export const policyPropose: Command = {
  name: 'policy propose',
  summary: 'propose a folder’s policies to a running gateway, for another person to approve',
  help: `
Opens a draft from a folder, such as a checkout of a repository, says in words what it changes, and proposes it. Where
tests or invariants do not hold nothing is proposed, the draft stays, and --draft puts the mended folder into it.

  launch-gateway policy propose --from checkout/config --title "Call handlers read symptoms" \\
    --ticket CHG-1 --reason "Callers wait for help" --gateway https://launch.example.nhs.uk`,
  options: {
    ...FILL_OPTIONS,
    reason: { type: 'string', help: 'why, for whoever approves it' },
  },
  async run(outside, values) {
    const { files } = await folderSide(need(values, 'from'))
    const reason = need(values, 'reason')
    needToBegin(values)
    await withConsole(outside, values, async (calls) => {
      const { id, hash } = await filled(outside, calls, values, files)
      const ticket = text(values, 'ticket') ?? ''
      await calls.call(`POST /drafts/${id}/propose`, { hash, reason, ticket })
      outside.say(`Proposed. For another person: launch-gateway policy approve --draft ${id}`)
    })
  },
}

const DRAFT_OPTION = {
  draft: { type: 'string', value: 'DRAFT', help: 'the draft, such as dft_…' },
} as const

export const policyApprove: Command = {
  name: 'policy approve',
  summary: 'look at what another person proposed, and approve exactly that',
  help: `
Without --hash it only shows what the draft changes and the hash of its files; with the hash that was seen it approves
them. An edit in between makes another hash, and nothing is approved. Needs an approver who is signed in with a smartcard.

  launch-gateway policy approve --draft dft_0a1b2c3d
  launch-gateway policy approve --draft dft_0a1b2c3d --hash 5V1c…`,
  options: {
    ...DRAFT_OPTION,
    hash: { type: 'string', help: 'of the files that you have seen' },
    ...GATEWAY_OPTION,
  },
  async run(outside, values) {
    const id = draftIn(values)
    const hash = text(values, 'hash')
    await withConsole(outside, values, async (calls) => {
      if (hash !== undefined) {
        await calls.call(`POST /drafts/${id}/approve`, { hash })
        return outside.say(`Approved: ${id}`)
      }
      const draft = (await calls.call(`GET /drafts/${id}`)).draft as Json
      await tell(outside, calls, `${draft.title} (${draft.stage})`, `/drafts/${id}/diff`)
      outside.say(`To approve exactly this: --hash ${draft.hash}`)
    })
  },
}

export const policyPublish: Command = {
  name: 'policy publish',
  summary: 'put an approved draft into force at a running gateway',
  help: `
What was approved comes into force on every node within two seconds, or nothing does: a draft that was edited since, or
is not built on the version in force any more, is refused.

  launch-gateway policy publish --draft dft_0a1b2c3d --gateway https://launch.example.nhs.uk`,
  options: { ...DRAFT_OPTION, ...GATEWAY_OPTION },
  async run(outside, values) {
    const id = draftIn(values)
    await withConsole(outside, values, async ({ call }) => {
      const { hash } = (await call(`GET /drafts/${id}`)).draft as Json
      const { draft } = await call(`POST /drafts/${id}/publish`, { hash })
      const { version } = (draft as Json).publication as Json
      outside.say(`In force: version ${version}`)
    })
  },
}

export const policyRollback: Command = {
  name: 'policy rollback',
  summary: 'bring an older version of the policies back, as a new version',
  help: `
Says in words what that changes, and does it: under today's invariants and today's duties. Needs an approver who is
signed in with a smartcard. With --revoke, what apps were given under the versions
since that one ends as well.

  launch-gateway policy rollback --version 3 --reason "Version 4 let too much be seen"`,
  options: {
    version: { type: 'string', value: 'N', help: 'the version whose files come back' },
    reason: { type: 'string', help: 'why: it stands in the trail' },
    revoke: { type: 'boolean', help: 'end what apps were given under the versions since' },
    ...GATEWAY_OPTION,
  },
  async run(outside, values) {
    const number = versionNumber(need(values, 'version'), 'version')
    const [reason, revoke] = [need(values, 'reason'), values.revoke === true]
    await withConsole(outside, values, async (calls) => {
      const { versions } = await calls.call('GET /versions')
      const [{ version: inForce }] = versions as readonly [{ readonly version: number }]
      const path = `/versions/${number}/diff?from=${inForce}`
      await tell(outside, calls, `From version ${inForce} back to ${number}`, path)
      const back = { reason, inForce, revoke }
      const { version } = await calls.call(`POST /versions/${number}/rollback`, back)
      outside.say(`In force: version ${version}`)
    })
  },
}
