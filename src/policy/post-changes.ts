/** Who gains or loses which duty in the console by another `console.yaml`. */
import type { Duty } from '../core/roles.js'
import { listed, roleWords } from './names.js'
import { type Appointed, peopleIn } from './posts.js'
import type { RoleChange } from './role-changes.js'
import type { PolicyFiles } from './source.js'

const keyOf = ({ uid, layer }: Appointed): string => `${uid} ${layer}`

const inWords = (duties: readonly Duty[]): string =>
  `the ${duties.length === 1 ? 'duty' : 'duties'} ${listed(duties.map(roleWords), 'and')}`

/** @throws Problems where one of them cannot be read */
export function postChanges(before: PolicyFiles, after: PolicyFiles): readonly RoleChange[] {
  const [then, now] = [before, after].map(
    (files) => new Map(peopleIn(files).map((person) => [keyOf(person), person])),
  ) as [Map<string, Appointed>, Map<string, Appointed>]
  return [...new Set([...then.keys(), ...now.keys()])].sort().flatMap((key) => {
    const [was, is] = [then.get(key), now.get(key)]
    const { name = '', uid = '', layer = 'central' } = is ?? was ?? {}
    const who = `${name} (${uid})`
    const where = layer === 'central' ? '' : ` in ${layer}`
    const only = (some?: Appointed, others?: Appointed): readonly Duty[] =>
      (some?.duties ?? []).filter((duty) => !others?.duties.includes(duty))
    const said = (duties: readonly Duty[], verb: string, widening: boolean): RoleChange[] => {
      if (duties.length === 0) return []
      const sentence = `${who} ${verb} ${inWords(duties)}${where}`
      return [{ about: 'duty', codes: [uid], sentence, widening }]
    }
    return [...said(only(is, was), 'gains', true), ...said(only(was, is), 'loses', false)]
  })
}
