/** A member lets a command act in their name: they type its code, see what asks and from where, and say yes or no. */
import { answerDevice, type Waiting, waitingDevice } from './api/devices.js'
import { inWords } from './in-words.js'
import type { Answer, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { typed } from './typed.js'

const LONGEST = 40
const PAGE = '/console/device'

const asking = (problem?: string): Shown => ({
  ...{ view: 'device', title: 'Let a command act for you' },
  data: { problem },
  status: problem === undefined ? 200 : 400,
})

const facts = ({ device: { client, address } }: Waiting) => ({ detail: { client, address } })

const NOT_WAITING =
  'No command waits under this code. It may have expired, or been used: look at the code again, or begin again.'

/** GET /console/device: where a code is typed. It never stands in an address, so that no link can bring one. @see RFC 8628 §5.4 */
export const devicePage = () => async (): Promise<Shown> => asking()

/** POST /console/device: what waits under the code. @throws Refusal rate_limited */
export const deviceAsked =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    await parts.limits.devices(visit.member.uid)
    const code = typed(visit, 'code', LONGEST)
    const found = await waitingDevice(parts, code)
    if (!found) return asking(NOT_WAITING)
    const { client, address, since } = found.device
    return {
      ...{ view: 'device', title: 'Let this command act for you?', about: facts(found) },
      crumbs: [{ text: 'Let a command act for you', href: PAGE }],
      data: { code, client, address, since: inWords(since) },
    }
  }

/** POST /console/device/confirm @throws Refusal rate_limited */
export const deviceAnswered =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    await parts.limits.devices(visit.member.uid)
    const found = await waitingDevice(parts, typed(visit, 'code', LONGEST))
    if (!found) return asking(NOT_WAITING)
    const answer = visit.sent.get('answer') === 'yes' ? visit.session : 'denied'
    const said = { ...facts(found).detail, answer: answer === 'denied' ? 'no' : 'yes' }
    const entry = visit.acted({ detail: said })
    if (!(await answerDevice(parts, found, answer, entry))) return asking(NOT_WAITING)
    return {
      ...{ view: 'device', title: answer === 'denied' ? 'Refused' : 'Let in' },
      data: { done: true, let: answer !== 'denied' },
      about: facts(found),
    }
  }
