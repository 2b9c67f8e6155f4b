/** Who writes in the plans: the demonstration's users and those who work beside them. */
import type { Draw } from './draw.js'
import type { Person } from './person.js'
import { isLast, type ProfileId } from './profiles.js'

export interface Clinician {
  /** As an entry names its author. */
  readonly by: string
  /** As a decision names them: with the number of their registration. */
  readonly signs: string
  /** Whose rights they have, of `config/policies/tests/people.yaml`: what they may write is for the policies to say. */
  readonly rights:
    | 'gp'
    | 'practice-nurse'
    | 'community-nurse'
    | 'hospice-doctor'
    | 'hospital-doctor'
    | 'receptionist'
}

// biome-ignore format: a table
export const CLINICIANS = {
  okafor:     { by: 'Dr Amara Okafor, GP',                                signs: 'Dr Amara Okafor, GMC 9000011',      rights: 'gp' },
  pritchard:  { by: 'Dr Gareth Pritchard, GP',                            signs: 'Dr Gareth Pritchard, GMC 9000012',  rights: 'gp' },
  begum:      { by: 'Dr Farhana Begum, GP',                               signs: 'Dr Farhana Begum, GMC 9000013',     rights: 'gp' },
  marsh:      { by: 'Dr Helen Marsh, Consultant in palliative medicine',  signs: 'Dr Helen Marsh, GMC 9000018',       rights: 'hospice-doctor' },
  ferreira:   { by: 'Dr Luis Ferreira, Hospice doctor',                   signs: 'Dr Luis Ferreira, GMC 9000019',     rights: 'hospice-doctor' },
  lim:        { by: 'Dr Mei Lim, Consultant geriatrician',                signs: 'Dr Mei Lim, GMC 9000021',           rights: 'hospital-doctor' },
  asante:     { by: 'Dr Kwabena Asante, Consultant haematologist',        signs: 'Dr Kwabena Asante, GMC 9000022',    rights: 'hospital-doctor' },
  brightwell: { by: 'Tom Brightwell, Practice nurse',                     signs: 'Tom Brightwell, NMC 90A0012E',      rights: 'practice-nurse' },
  adeyemi:    { by: 'Ngozi Adeyemi, District nurse',                      signs: 'Ngozi Adeyemi, NMC 90A0013E',       rights: 'community-nurse' },
  rourke:     { by: 'Siobhan Rourke, District nurse',                     signs: 'Siobhan Rourke, NMC 90A0014E',      rights: 'community-nurse' },
  hartley:    { by: 'Sue Hartley, Receptionist',                          signs: 'Sue Hartley',                       rights: 'receptionist' },
} as const satisfies Readonly<Record<string, Clinician>>

export interface Team {
  readonly gp: Clinician
  /** Decides about resuscitation and treatment. */
  readonly decides: Clinician
  readonly nurse: Clinician
  /** Writes the contacts down. */
  readonly contacts: Clinician
}

const { okafor, pritchard, begum, marsh, ferreira, lim, asante } = CLINICIANS
const { brightwell, adeyemi, rourke, hartley } = CLINICIANS
const GPS = [okafor, okafor, pritchard, begum]

/** Profiles whose patients a hospital's consultant knows best. */
const CONSULTANTS: Readonly<Partial<Record<ProfileId, Clinician>>> = {
  frailty: lim,
  stroke: lim,
  dementia: lim,
  sickle: asante,
}

export function teamOf(draw: Draw, { card }: Person): Team {
  const gp = draw.one(GPS)
  const consultant = CONSULTANTS[card.profile]
  const last = isLast(card.stage)
  const others = last ? [marsh, marsh, ferreira] : consultant ? [consultant] : []
  return {
    gp,
    decides: draw.one([gp, gp, ...others]),
    nurse: last ? draw.one([adeyemi, rourke]) : draw.one([brightwell, adeyemi, rourke]),
    contacts: draw.one([brightwell, hartley, adeyemi]),
  }
}
