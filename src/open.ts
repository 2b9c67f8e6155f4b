/** A configuration → the running parts of a gateway: opened in order, closed in the other. */
import { readFile } from 'node:fs/promises'
import type { Express } from 'express'
import { createRateLimits } from './access/rates.js'
import { createRegistry, type Registry } from './access/registry.js'
import type { Trail } from './audit/trail.js'
import { openBases, queriesNamed } from './bases.js'
import { openChanges } from './changes.js'
import type { Config } from './config.js'
import type { OdsCode } from './core/context.js'
import { FHIR_TYPES } from './core/fhir.js'
import { inBulk } from './core/random.js'
import { encryptionOf, openFoundations, ringPartsOf, type World } from './foundations.js'
import { createGateway } from './gateway.js'
import { openOwnKeys } from './keys/by-hand.js'
import { readKeys } from './keys/key-choice.js'
import type { Outbound } from './keys/outbound.js'
import type { Keys } from './keys/signing.js'
import { openTrustedKeys } from './keys/trusted.js'
import type { Metrics } from './metrics.js'
import type { Notices } from './oauth/notices.js'
import { GRANT_TYPES } from './oauth/token.js'
import { openOutside } from './outside.js'
import { alarming } from './policy/alarm.js'
import { type Asked, createAsked } from './policy/asked.js'
import type { Drafts } from './policy/drafts.js'
import type { Findings } from './policy/findings.js'
import { type Beat, createBeat } from './policy/fleet.js'
import type { Matrices } from './policy/matrices.js'
import { readOrganizations } from './policy/organizations.js'
import { knowUser } from './policy/roles.js'
import { createShadow, type Shadow } from './policy/shadow.js'
import { createSoundness } from './policy/soundness.js'
import { readSource } from './policy/source.js'
import { type OpenPolicies, openPolicies } from './policy/versions.js'
import { createInContext } from './proxy/context.js'
import type { Alerts } from './session/alerts.js'
import { createEmergencies, type Emergencies, emergencyPuts } from './session/emergencies.js'
import { createHandovers } from './session/handovers.js'
import { createOutcomes } from './session/outcomes.js'
import { createSessions } from './session/sessions.js'
import { createUnsaved } from './session/unsaved.js'
import type { Store } from './store/store.js'
import { openTelling } from './telling.js'
import { startTicking } from './ticking.js'

export interface OpenGateway {
  readonly app: Express
  readonly store: Store
  readonly trail: Trail
  readonly keys: Keys
  readonly registry: Registry
  readonly policies: OpenPolicies
  /** Keeps a sample of what is asked of the policies. */
  readonly asked: Asked
  /** The life of a change of the policies, and what is found out about it. */
  readonly drafts: Drafts
  readonly findings: Findings
  readonly matrices: Matrices
  /** Says in the store that this node runs, and by which version. */
  readonly fleet: Beat
  /** Compares a draft with what is decided. */
  readonly shadow: Shadow
  readonly metrics: Metrics
  readonly notices: Notices
  readonly alerts: Alerts
  readonly emergencies: Emergencies
  /** What happens by the clock: following policies and keys, telling apps of sign-outs, sweeping, checkpoints. Until `close`. */
  tick(): void
  close(): Promise<void>
}

async function openRules(config: Config, { clock, random }: World, store: Store, trail: Trail) {
  const source = await readSource(config.paths)
  const sections = config.plan.map(({ id }) => id)
  const sound = createSoundness({ store, clock, sections })
  const policies = await openPolicies({ store, trail, clock, source, sections, sound })
  const text = await readFile(config.paths.organizations, 'utf8')
  const directory = readOrganizations(text, policies.roles(), config.paths.organizations)
  const fleet = createBeat({ store, policies, clock, random })
  const keep = config.questions.keep_days * 86_400
  return { policies, sound, directory, fleet, asked: createAsked({ store, clock, random, keep }) }
}

/** Systems that a command adds later may have styles as well; the capability says what the configuration holds. */
const stylesOf = ({ pages, systems }: Config) => ({
  styleUrl: pages.style_url,
  styled: [pages.style_url, ...systems.map((system) => system.styleUrl)].some(Boolean),
})

function registrationOf({ registration }: Config, outbound: Outbound) {
  const { by, profile, scopes, most, issuers } = registration
  if (by === 'off') return undefined
  return {
    ...{ by, profile, scopes, most, grants: Object.keys(GRANT_TYPES) },
    issuers: issuers.map(({ issuer, algorithms, jwks, jwks_uri = '' }) => ({
      ...{ issuer, algorithms, keys: jwks ? { jwks } : { jwksUri: jwks_uri } },
    })),
    async readKeys(address: string) {
      readKeys((await outbound.get(address)).body)
    },
  }
}

const openLimits = (config: Config, { clock, log }: World, store: Store, metrics: Metrics) =>
  createRateLimits({
    rates: config.limits.rates,
    store,
    clock,
    limited: metrics.limited,
    failed(error) {
      metrics.uncounted()
      log.warn({ err: error }, 'the store did not count for a rate limit: this node counts alone')
    },
  })

/** @throws ConfigError, KeyFault, Problems (policies), StoreFailure */
export async function openGateway(config: Config, given: World): Promise<OpenGateway> {
  const world = { ...given, random: inBulk(given.random) }
  const { clock, random, log } = world
  const { store, keys, trail, metrics } = await openFoundations(config, world)
  const rules = await openRules(config, world, store, trail).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const { policies, directory, fleet, asked } = rules
  metrics.watch(policies)
  const shadow = createShadow({ store, clock, node: fleet.node, counted: metrics.shadowed })
  const heard = alarming(shadow.observing(asked.observing(policies)), metrics.policyFailed, (one) =>
    log.error(one, 'policies failed: each such answer is a refusal'),
  )
  const { keep_days: keepDays } = config.emergency
  const emergencies = createEmergencies({ store, trail, clock, keepDays })
  metrics.reviewing(emergencies.waiting)
  if (policies.superseded()) {
    log.warn(
      'the policy files of this node are not the version in force: another has been published since',
    )
  }
  const regionOf = (code: string) => directory.get(code as OdsCode)?.region
  const outside = openOutside(config, world, keys, regionOf)
  const { outbound, records, provider, team, issuers } = outside
  const registry = createRegistry({ store, clock, apps: config.apps, systems: config.systems })
  const limits = openLimits(config, world, store, metrics)
  const encryption = encryptionOf(config.secrets)
  const nameOf = (ods: string) => directory.get(ods as OdsCode)?.name
  const handovers = createHandovers({ store, encryption, nameOf })
  const unsaved = createUnsaved({ store, trail, clock, encryption })
  const sessions = createSessions({ store, trail, clock, random, lifetimes: config.lifetimes })
  const { plan } = config
  const outcomes = createOutcomes({
    ...{ store, trail, clock, encryption, plan, sessions, offline: config.lifetimes.offline },
    unsettled: (launch, error) =>
      log.warn({ launch, err: error }, 'a write that was answered is told as uncertain'),
  })
  const about = { store, trail, keys, registry, sessions, dropped: metrics.unnoticed }
  const telling = openTelling(config, world, about)
  const changes = openChanges(config, world, { ...about, sound: rules.sound })
  const app = createGateway({
    ...{ drafts: changes.drafts, findings: changes.findings },
    ...{
      issuer: config.issuer,
      store,
      trail,
      clock,
      random,
      log,
      keys,
      trusted: openTrustedKeys({ clock, outbound }),
      registry,
      sessions,
      policies: heard,
    },
    ownKeys: openOwnKeys(ringPartsOf(config, { store, commit: trail.commit, clock })),
    ...{ provider, team, issuers, findPatient: records.findPatient, limits },
    ...{ matrices: changes.matrices, trials: changes.trials, directory },
    emergencies: {
      ...emergencies,
      puts: (emergency) => [...emergencyPuts(emergency), ...telling.alerts.puts(emergency)],
      broken: ({ id, launch, user: { organization }, reason, until }) =>
        log.warn(
          { emergency: id, launch, organization, reason, until },
          'emergency access was used: it is to be reviewed',
        ),
    },
    ...{ patientFlags: records.patientFlags, handovers, outcomes },
    knowUser: (named, ods, assurance) =>
      knowUser(named, ods as OdsCode, assurance, policies.roles(), directory),
    seals: config.secrets.seals,
    offered: {
      fhirTypes: Object.keys(FHIR_TYPES),
      sections: config.plan,
      queries: queriesNamed(config),
    },
    ...stylesOf(config),
    registration: registrationOf(config, outbound),
    pages: { emergencyText: config.pages.emergency_text, support: config.pages.support },
    trustProxy: config.trust_proxy,
    mtls: config.mtls,
    skew: config.limits.skew,
    lifetimes: config.lifetimes,
    record: openBases(config, {
      ...{ records, policies: heard, trail, outcomes, clock, handovers, unsaved, store },
      ...{ inContext: createInContext({ store, registry }), again: limits.again },
    }),
  })
  let stop = (): void => undefined
  return {
    matrices: changes.matrices,
    ...{ app, store, trail, keys, registry, asked, fleet, shadow, metrics },
    policies: heard,
    ...{
      drafts: changes.drafts,
      findings: changes.findings,
      notices: telling.notices,
      alerts: telling.alerts,
      emergencies,
    },
    tick() {
      stop = startTicking({ telling, policies, fleet, shadow, asked, keys, store, trail, log })
    },
    async close() {
      stop()
      changes.close()
      shadow.close()
      policies.close()
      await telling.close()
      // A store that is away keeps no node from ending.
      await fleet.leave().catch(() => undefined)
      await trail.close()
      await records.close()
      await outbound.close()
      await store.close()
    },
  }
}
