/** Reads, histories and searches: judged, forwarded, looked at again, in the trail, released. */
import type { Access } from '../core/access.js'
import {
  enforceFhir,
  type FhirPlan,
  type FhirReadCall,
  forwardOf,
  type SearchCall,
} from '../core/fhir.js'
import { type FhirRelease, type Released, versionOf } from '../core/fhir-own.js'
import { fromFirst, nextAsked, pageFrom, tellsByPages } from '../core/fhir-pages.js'
import { releaseFhir } from '../core/fhir-release.js'
import { versionIn } from '../core/fhir-write.js'
import type { UpstreamAnswer } from '../record/record.js'
import { withinSize, withinTime } from './bounds.js'
import { recordRead } from './entry.js'
import { type FhirAnswer, type FhirAsked, releaseFor } from './fhir-parts.js'
import type { ProxyParts } from './parts.js'
import { requireFound, requireListed, validatorsOf } from './request.js'
import type { Stands } from './standing.js'

/** What the trail says of it: the type, the id or how many entries, never their content. */
function detailOf({ call }: FhirPlan<FhirReadCall>, { entries = 0 }: Released) {
  const { interaction, type } = call
  if (interaction === 'search') return { entries, interaction, type }
  if (interaction === 'history') return { entries, id: call.id, interaction, type }
  return { id: call.id, interaction, type }
}

async function releasedOnce(parts: ProxyParts, plan: FhirPlan<FhirReadCall>, release: FhirRelease) {
  const answer = await parts.record.forward({ upstream: 'fhir', ...forwardOf(plan) })
  if (plan.call.interaction === 'search') requireListed(answer)
  else requireFound(answer)
  return { answer, released: releaseFhir(plan, answer.body, release) }
}

/** As many of the record's pages as one of ours takes, one after the other. */
async function releasedPage(
  parts: ProxyParts,
  plan: FhirPlan<SearchCall>,
  release: FhirRelease,
  stands: Stands,
): Promise<{ readonly answer: UpstreamAnswer; readonly released: Released }> {
  const { call } = plan
  const [requireTime, requireSize] = [withinTime(parts), withinSize(parts)]
  const pages: Released[] = []
  for (let asked = fromFirst(call); ; ) {
    requireTime()
    await stands()
    const { answer, released } = await releasedOnce(parts, { ...plan, call: asked }, release)
    requireSize(answer)
    pages.push(released)
    const next = nextAsked(call, pages, release)
    if (next === undefined) return { answer, released: pageFrom(call, pages, release) }
    asked = next
  }
}

/** What the record answers to a plan, as it may leave while its caller {@link Stands}: to be asked once more then. */
export function readReleased(
  parts: ProxyParts,
  access: Access,
  plan: FhirPlan<FhirReadCall>,
  stands: Stands,
): Promise<{ readonly answer: UpstreamAnswer; readonly released: Released }> {
  const { call } = plan
  const release = releaseFor(parts, access, plan.patient)
  const search = call.interaction === 'search' ? { ...plan, call } : undefined
  return search && tellsByPages(search)
    ? releasedPage(parts, search, release, stands)
    : releasedOnce(parts, plan, release)
}

/** @throws Refusal of core/fhir.ts, core/fhir-release.ts and record/ */
export async function answerRead(
  parts: ProxyParts,
  access: Access,
  { call, stands }: FhirAsked<FhirReadCall>,
): Promise<FhirAnswer> {
  const { policies, trail, base } = parts
  // Scope and today's policies, before the record hears of it; whose it is, and what it now says of them, before
  // the app does.
  const plan = enforceFhir(access, call, policies, base)
  // What a resource was is as closed as what it is: a label that came later counts.
  if (call.interaction === 'vread')
    await readReleased(parts, access, { ...plan, call: { ...call, interaction: 'read' } }, stands)
  const { answer, released } = await readReleased(parts, access, plan, stands)

  // Durable first; then it leaves.
  const decisions = [...(plan.decision === undefined ? [] : [plan.decision]), ...released.decisions]
  await recordRead(trail, { access, stands }, decisions, detailOf(plan, released))
  // A list's own validators would tell of what was left out of it.
  const one = call.interaction === 'read' || call.interaction === 'vread'
  const { lastModified } = validatorsOf(answer)
  // What was read is what its body says: by its version it will be changed.
  const version = one ? versionOf(released.body) || (versionIn(answer.headers.etag) ?? '') : ''
  return {
    ...{ status: 200, body: released.body },
    ...(version === '' ? {} : { etag: `W/"${version}"` }),
    ...(one && lastModified !== undefined ? { lastModified } : {}),
  }
}
