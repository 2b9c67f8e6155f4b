/**
 * The pretend hospital's record: FHIR R4 at `/fhir`, openEHR REST at `/openehr/v1`, both behind one
 * credential that only the gateway holds.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import type { PlanSection } from '../core/plan.js'
import type { Clock, EpochMs } from '../core/values.js'
import { compositionOf } from './composition.js'
import { type DemoPerson, fhirResources } from './fhir-resources.js'
import { openFhirVersions } from './fhir-versions.js'
import { fixedId } from './fixed-id.js'
import { type Journal, openJournal } from './journal.js'
import type { DemoPatient } from './patients.js'
import { type DemoEntry, type DemoPlan, dayOf, fieldTexts, sectionOf } from './plans.js'
import { fhirRecord } from './record-fhir.js'
import { openEhrRecord } from './record-openehr.js'
import { openVersions, type Version } from './versions.js'

export interface DemoRecordParts {
  readonly patients: readonly DemoPatient[]
  /** Each of a patient who has an EHR. */
  readonly plans: readonly DemoPlan[]
  /** The sections of the plan, as the configuration has them. */
  readonly form: readonly PlanSection[]
  /** Users of config/demo/people.yaml: the record's Practitioners and Organizations. */
  readonly people?: readonly DemoPerson[]
  /** What `Authorization: Bearer` must carry. */
  readonly credential: string
  /** Where what is written is kept; without it it lasts as long as the process. */
  readonly dataDir?: string
  readonly clock: Clock
}

const hash = (text: string) => createHash('sha256').update(text).digest()

const credentialRequired = (credential: string): RequestHandler => {
  const wanted = hash(`Bearer ${credential}`)
  return (req, res, next) => {
    if (timingSafeEqual(hash(req.get('authorization') ?? ''), wanted)) next()
    else res.status(401).json({ message: 'A credential is required', code: 401 })
  }
}

/** What could not be read is the caller's fault; what could not be kept is ours, and nobody may take it for a no. */
const failed: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
  const code = error.status ?? 500
  const message = code < 500 ? 'Could not be read' : 'Something went wrong here'
  res.status(code).json({ message, code })
}

function versionsOf(
  ehrId: string,
  section: PlanSection,
  { earlier = [], ...newest }: DemoEntry,
  start: number,
): readonly Version[] {
  return [...earlier, newest].map(({ by, on, values }, i) => {
    const at = `${dayOf(on, start)}T09:30:00.000Z`
    return {
      ehrId,
      objectId: fixedId(`${ehrId}/${section.template}`),
      number: i + 1,
      template: section.template,
      composition: compositionOf(section, fieldTexts(section.fields, values, start), by, at),
      committer: by,
      at,
    }
  })
}

/**
 * What each EHR is filled with: its patient's plan, in its versions.
 *
 * @throws Error from what is answered, naming a section or a field that the form does not have
 */
function fillings({ patients, plans, form }: DemoRecordParts, begun: EpochMs) {
  const numbers = new Map(patients.map(({ ehrId, nhsNumber }) => [ehrId, nhsNumber]))
  const byNumber = new Map(plans.map((plan) => [plan.patient, plan]))
  return (ehrId: string): readonly Version[] => {
    const plan = byNumber.get(numbers.get(ehrId) ?? '')
    return Object.entries(plan?.sections ?? {}).flatMap(([id, entry]) =>
      versionsOf(ehrId, sectionOf(form, id), entry, begun),
    )
  }
}

/** The two sides of the record, filled. */
function sides(parts: DemoRecordParts, journal: Journal): Router {
  const { patients, plans, form, people = [], clock } = parts
  const versions = openVersions(journal, fillings(parts, journal.begun))
  const resources = () => fhirResources(patients, plans, people, journal.begun)
  const router = Router()
  router.use('/fhir', fhirRecord(openFhirVersions(journal, resources, clock)))
  router.use('/openehr/v1', openEhrRecord({ patients, form, versions, clock }))
  return router
}

/** Looks at its patients and plans when it is first asked: a start does not wait for them. */
export function createRecord(parts: DemoRecordParts): Router {
  const journal = openJournal(parts.dataDir, parts.clock)
  const router = Router()
  router.use(credentialRequired(parts.credential))
  let filled: Router | undefined
  router.use((req, res, next) => {
    filled ??= sides(parts, journal)
    filled(req, res, next)
  })
  router.use(failed)
  return router
}
