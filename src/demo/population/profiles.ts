/** Who the two hundred are: what they live with, how old they are, and how far their planning has come. */
import type { ConditionId } from './conditions.js'

/**
 * How far an illness has come, which decides what a plan may hold.
 *
 * | stage      | CPR                                  | prognosis      | anticipatory medicines |
 * |------------|--------------------------------------|----------------|------------------------|
 * | none       | no plan                              |                |                        |
 * | early      | to be attempted, or not decided yet  | a year or more | no                     |
 * | crisis     | to be attempted                      |                | no                     |
 * | declining  | mostly not to be attempted           | a year, months | no                     |
 * | palliative | not to be attempted                  | months, weeks  | in the home            |
 * | dying      | not to be attempted                  | days           | in the home            |
 * | dead       | not to be attempted; has died since  | days           | in the home            |
 */
export type Stage = 'none' | 'early' | 'crisis' | 'declining' | 'palliative' | 'dying' | 'dead'

/** Stages of the end of life: with anticipatory medicines, and on the register. */
export const isLast = (stage: Stage): boolean => ['palliative', 'dying', 'dead'].includes(stage)

export type ProfileId =
  | 'frailty'
  | 'heart'
  | 'airways'
  | 'dementia'
  | 'cancer'
  | 'kidney'
  | 'parkinson'
  | 'neurology'
  | 'liver'
  | 'stroke'
  | 'fibrosis'
  | 'learning'
  | 'sickle'
  | 'well'

export interface Profile {
  readonly ages: readonly [least: number, most: number]
  /** One of them is the illness that the plan is about. */
  readonly main: readonly ConditionId[]
  /** Instead of `main` where it has gone far. */
  readonly late?: readonly ConditionId[]
  /** What comes beside it. */
  readonly beside: readonly ConditionId[]
  /** Share of those who live in a care home. */
  readonly careHome: number
  readonly stages: Readonly<Partial<Record<Stage, number>>>
}

const OLD = [
  'hypertension',
  'arthritis',
  'osteoporosis',
  'diabetes',
  'fibrillation',
  'thyroid',
  'depression',
  'kidney-3',
  'ischaemia',
] as const satisfies readonly ConditionId[]
const HEART = [
  'fibrillation',
  'ischaemia',
  'infarction',
  'hypertension',
  'diabetes',
  'kidney-3',
  'copd',
] as const satisfies readonly ConditionId[]
const MIDDLE = [
  'hypertension',
  'diabetes',
  'depression',
  'asthma',
  'thyroid',
  'arthritis',
] as const satisfies readonly ConditionId[]

// biome-ignore format: a table
export const PROFILES: Readonly<Record<ProfileId, Profile>> = {
  frailty:   { ages: [80, 98], main: ['frail-severe'], beside: OLD, careHome: 0.35, stages: { none: 4, declining: 18, palliative: 8, dying: 1, dead: 2 } },
  heart:     { ages: [66, 95], main: ['heart-failure'], beside: HEART, careHome: 0.1, stages: { none: 3, early: 6, declining: 7, palliative: 5, dead: 1 } },
  airways:   { ages: [58, 90], main: ['copd'], beside: [...HEART.slice(0, 5), 'depression', 'osteoporosis'], careHome: 0.08, stages: { none: 2, early: 5, declining: 6, palliative: 4, dead: 1 } },
  dementia:  { ages: [71, 97], main: ['alzheimer', 'alzheimer', 'vascular', 'lewy'], beside: OLD, careHome: 0.5, stages: { none: 2, early: 6, declining: 11, palliative: 4, dying: 2, dead: 2 } },
  cancer:    { ages: [56, 92], main: ['breast', 'bowel', 'prostate', 'myeloma'], late: ['lung', 'pancreas', 'bowel-spread', 'breast-spread', 'prostate-bone', 'ovary', 'oesophagus'], beside: MIDDLE, careHome: 0.05, stages: { none: 2, early: 6, declining: 4, palliative: 14, dying: 4, dead: 3 } },
  kidney:    { ages: [58, 90], main: ['kidney-4'], late: ['kidney-5'], beside: ['hypertension', 'diabetes', 'ischaemia', 'arthritis'], careHome: 0.1, stages: { none: 1, early: 2, declining: 3, palliative: 2 } },
  parkinson: { ages: [66, 90], main: ['parkinson'], beside: ['hypertension', 'depression', 'osteoporosis', 'arthritis'], careHome: 0.3, stages: { none: 1, early: 3, declining: 3, palliative: 1 } },
  neurology: { ages: [50, 76], main: ['motor-neurone', 'sclerosis'], beside: ['depression', 'hypertension', 'thyroid'], careHome: 0.05, stages: { early: 2, declining: 2, palliative: 2 } },
  liver:     { ages: [44, 72], main: ['liver'], beside: ['diabetes', 'depression'], careHome: 0, stages: { none: 1, declining: 1, palliative: 2 } },
  stroke:    { ages: [60, 92], main: ['stroke'], beside: ['hypertension', 'fibrillation', 'diabetes', 'depression', 'kidney-3'], careHome: 0.35, stages: { none: 1, early: 2, declining: 4, palliative: 1 } },
  fibrosis:  { ages: [60, 86], main: ['fibrosis'], beside: ['hypertension', 'ischaemia', 'diabetes'], careHome: 0.05, stages: { early: 1, declining: 1, palliative: 2 } },
  learning:  { ages: [30, 66], main: ['down', 'palsy'], beside: ['epilepsy', 'thyroid', 'asthma'], careHome: 0.5, stages: { none: 1, early: 2, declining: 1 } },
  sickle:    { ages: [19, 54], main: ['sickle-ss', 'sickle-ss', 'sickle-sc'], beside: ['asthma', 'depression'], careHome: 0, stages: { none: 2, crisis: 10 } },
  well:      { ages: [19, 78], main: ['asthma', 'hypertension', 'diabetes', 'thyroid', 'depression', 'rheumatoid'], beside: MIDDLE, careHome: 0, stages: { none: 13 } },
}

export interface Card {
  readonly profile: ProfileId
  readonly stage: Stage
  /** To be hidden from most: the record says no address and no telephone number. */
  readonly sensitive: boolean
}

/** One card for each patient, before they are dealt. */
export const DECK: readonly Omit<Card, 'sensitive'>[] = (
  Object.entries(PROFILES) as [ProfileId, Profile][]
).flatMap(([profile, { stages }]) =>
  (Object.entries(stages) as [Stage, number][]).flatMap(([stage, count]) =>
    Array.from({ length: count }, () => ({ profile, stage })),
  ),
)
