/** A plan with sections that the record does not list as active: whether it is to be listed again is for a clinician to say. */
import { choose } from './dom.js'

/** `not`: saved into a plan that stays unlisted, such as to put right what was recorded of somebody. */
export type Listed = 'listed' | 'not'

/** @returns `undefined` to go back and save nothing */
export const askListing = (): Promise<Listed | undefined> =>
  choose<Listed | undefined>(
    'List this plan as active again?',
    'The record lists no active plan for this patient: other systems may show none, also after you have saved. Listed again, all of its sections are shown to others as the plan that holds today. Look through them first, above all at what others act on at once.',
    [
      { label: 'List the plan and save', value: 'listed', kind: 'primary' },
      { label: 'Save without listing it', value: 'not', kind: 'warning' },
      { label: 'Go back', value: undefined, kind: 'secondary' },
    ],
    undefined,
  )
