/** Why a section was not saved, in words for who typed it. */
import type { CallFailed, Why } from './connection.js'
import type { Unsaved } from './form.js'

const KEPT = 'What you typed is still here.'

// biome-ignore format: a table
const UNSAVED: Readonly<Record<Exclude<Why, 'ended' | 'superseded'>, string>> = {
  unreachable: `This was not saved: the service could not be reached. ${KEPT} Try again.`,
  refused:     `This was not saved: your role does not allow this change. ${KEPT}`,
  absent:      `This was not saved: the section is no longer there. ${KEPT}`,
  stale:       `This was not saved: somebody else changed the section, and their version could not be read. ${KEPT} Try again.`,
  unfit:       `This was not saved: this app cannot put all of it into the entry as the record holds it. ${KEPT} Copy it, and make the change in the full record.`,
  unlisted:    `This was not saved: the plan must be listed in the record before this section is saved, and that did not succeed. ${KEPT} Try again: no plan is listed twice.`,
  failed:      `This was not saved: the record could not take it. ${KEPT} Try again.`,
}
const UNKNOWN = `It is not known whether this was saved: the service did not say. ${KEPT} Save again: nothing is saved twice. If you cancel, the section is read again.`
const REFUSED_SINCE = ' The last attempt was refused: your role does not allow this change.'

/** Whether the record then no longer holds what was shown, or may not. */
export const outdates = (why: Why): boolean => ['stale', 'absent', 'unlisted'].includes(why)

/** @param unsettled a write may have been done, now or before: only a look at the record could say more */
export function explain(
  { words, reference, also }: CallFailed,
  why: Exclude<Why, 'ended' | 'superseded'>,
  unsettled: boolean,
): Unsaved {
  const said = unsettled && why !== 'refused' ? '' : words
  const own = unsettled ? `${UNKNOWN}${why === 'refused' ? REFUSED_SINCE : ''}` : UNSAVED[why]
  const all = [own, said === '' ? '' : `(${said})`, also]
  return {
    text: all.filter((part) => part !== '').join(' '),
    ...(reference === '' ? {} : { reference }),
  }
}
