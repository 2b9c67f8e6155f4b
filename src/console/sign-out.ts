import type { RequestHandler } from 'express'
import { learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { takeSession } from './cookie.js'
import { requireToken } from './form-token.js'
import { aboutMember, memberEnd, presenceOf } from './members.js'
import { keepApart } from './page.js'
import type { ConsoleParts } from './parts.js'

/** POST /console/sign-out. Whoever is signed out already is told the same. @throws Refusal console_form_refused */
export const signOut =
  (parts: ConsoleParts): RequestHandler =>
  async (req, res) => {
    keepApart(res)
    const presence = await presenceOf(parts, req)
    if (presence) {
      const { session, secret } = presence
      learn(res, aboutMember(session))
      requireToken(req, secret, parameters(req).get('token'))
      await parts.store.commit({ puts: [memberEnd(parts, session)] })
      await parts.trail.record({
        ...{ what: 'console_closed', outcome: 'success', ...aboutMember(session) },
        detail: { why: 'signed out' },
      })
    }
    takeSession(res)
    parts.pages.send(res, 200, 'console/signed-out', { title: 'You are signed out' })
  }
