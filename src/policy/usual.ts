/** How things ordinarily stand for a role: where its people work and what their job roles let them do. */
import type { Question } from '../core/decision.js'
import type { Role } from '../core/roles.js'
import { ordinarily } from './fields.js'
import type { AnyRole } from './names.js'
import type { RoleMap } from './roles.js'
import type { Pair } from './schema.js'

/** What most of the codes that give a role imply; of as many, the longer list. */
function usualActivities(role: Role, { rules, baseline }: RoleMap): readonly string[] {
  const counted = new Map<string, number>()
  for (const [code, given] of rules) {
    if (!given.some((rule) => rule.role === role)) continue
    const list = (baseline.get(code) ?? []).join(' ')
    counted.set(list, (counted.get(list) ?? 0) + 1)
  }
  const [most = ''] = [...counted].sort(([a, n], [b, m]) => m - n || b.length - a.length)[0] ?? []
  return most === '' ? [] : most.split(' ')
}

/** The first organisation type of the first rule that gives a role. */
function usualPlace(role: Role, { rules }: RoleMap): string | undefined {
  for (const given of rules.values()) {
    const rule = given.find((one) => one.role === role)
    if (rule) return [...rule.organizationTypes][0]
  }
  return undefined
}

/** Nobody launches for a service, and nobody is signed on: see core/backend-service.ts. */
function ofService(question: Question): Question {
  const organization = { odsCode: '', type: 'unknown', region: '' }
  return {
    ...question,
    user: { ...question.user, roles: ['service'], assurance: 1, organization },
    launch: { ...question.launch, rung: 'service', system: '' },
    purpose: 'administration',
  }
}

/** The question of a role in ordinary circumstances. */
export function usually(role: AnyRole, { action, resource }: Pair, map: RoleMap): Question {
  const question = ordinarily(action, resource)
  if (role === 'none') return question
  if (role === 'service') return ofService(question)
  const { organization } = question.user
  return {
    ...question,
    user: {
      ...question.user,
      roles: [role],
      activities: usualActivities(role, map),
      organization: { ...organization, type: usualPlace(role, map) ?? organization.type },
    },
  }
}
