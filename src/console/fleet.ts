/** The nodes, and what waits: pages for whoever wants to know whether all of them answer alike. */
import { type FleetNode, fleetOf } from '../policy/fleet.js'
import type { Cell } from './entries.js'
import type { TileOf } from './home.js'
import { inColumns } from './in-words.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

const secondsOf = (milliseconds: number): string =>
  `${Math.max(0, Math.round(milliseconds / 1000))} s`

/** What a node is worth now, the worst first. */
function standing({ mayRead, mayIssue, follows }: FleetNode): Cell {
  if (!mayRead) return { tag: 'Refuses everything', colour: 'red' }
  if (!mayIssue) return { tag: 'Opens nothing new', colour: 'red' }
  if (!follows) return { tag: 'Behind', colour: 'yellow' }
  return { tag: 'Follows', colour: 'green' }
}

const rowOf = (node: FleetNode): readonly Cell[] => [
  standing(node),
  ...[String(node.version), secondsOf(node.unheard), secondsOf(node.silent)],
  ...[inColumns(node.startedAt), node.id],
]

/** GET /console/fleet: each node, its version and how old its word of it is. */
export const fleet =
  ({ store, clock, policies }: ConsoleParts) =>
  async (): Promise<Shown> => {
    const nodes = await fleetOf(store, clock)
    return {
      ...{ view: 'fleet', title: 'Nodes' },
      data: { rows: nodes.map(rowOf), version: policies.version() },
    }
  }

export const nodesTile =
  ({ store, clock }: ConsoleParts): TileOf =>
  async () => {
    const nodes = await fleetOf(store, clock)
    const behind = nodes.filter(({ follows, mayIssue }) => !follows || !mayIssue).length
    const link = { text: 'All nodes', href: '/console/fleet' }
    const facts = [
      ['Running', nodes.length],
      ['Not by the version in force', behind],
    ] as const
    return { heading: 'Nodes', facts, link }
  }

/** How many changes stand at each stage. */
export const draftsTile =
  ({ drafts }: ConsoleParts): TileOf =>
  async (visit: Visit) => {
    if (!visit.may('console-view', 'policies')) return undefined
    const all = await drafts.list()
    const at = (...stages: readonly string[]) =>
      all.filter(({ stage }) => stages.includes(stage)).length
    const facts = [
      ['Being written', at('open')],
      ['Waiting for approval', at('proposed')],
      ['Approved, not yet in force', at('approved')],
    ] as const
    return { heading: 'Changes', facts, link: { text: 'All changes', href: '/console/drafts' } }
  }
