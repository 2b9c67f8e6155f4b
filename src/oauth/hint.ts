/** An id_token of ours that an app shows again, to say of whom and of which session it speaks. */
import type { Demand } from '../core/authorization-request.js'
import type { LaunchSession } from '../core/launch.js'
import { parameterFault, Refusal } from '../core/refusal.js'
import { subjectOf } from '../core/session.js'
import { peek } from '../keys/trusted.js'
import type { OAuthParts } from './parts.js'

export interface Hint {
  readonly subject: string
  /** The app to which it was given. */
  readonly app: string
  /** The sign-on under which it was given. */
  readonly signOn?: string
}

const LONGEST = 16_384

/**
 * What an id_token of ours says, expired or not.
 * @throws Refusal parameter_invalid
 * @see OIDC Core §3.1.2.1; OpenID Connect RP-Initiated Logout 1.0 §2 (id_token_hint)
 */
export async function readHint(
  parts: Pick<OAuthParts, 'keys' | 'clock'>,
  hint: string,
): Promise<Hint> {
  const verified = async () => {
    if (hint.length > LONGEST) throw new Refusal('parameter_invalid', 'too long')
    const { exp } = peek(hint, 'parameter_invalid')
    // Ours have one; other things that we sign for an app, such as userinfo, have none.
    if (typeof exp !== 'number') throw new Refusal('parameter_invalid', 'no exp')
    return parts.keys.verify(hint, 'JWT', Math.min(parts.clock(), (exp - 1) * 1000))
  }
  const claims = await verified().catch((cause: unknown) => {
    throw parameterFault('parameter_invalid', 'id_token_hint', { cause })
  })
  const { sub, aud, sid } = claims
  if (typeof aud !== 'string') throw new Refusal('parameter_invalid', 'id_token_hint: aud')
  return {
    ...{ subject: String(sub), app: aud },
    ...(typeof sid === 'string' ? { signOn: sid } : {}),
  }
}

/**
 * No code for anybody else than whom the app names, by a hint or by a `sub` that it asks for, whoever launched.
 * @throws Refusal login_required
 * @see OIDC Core §3.1.2.1, §5.5.1 ("MUST NOT reply with an ID Token or Access Token for a different user")
 */
export function requireSubject({ subject }: Demand, { user, launch }: LaunchSession): void {
  if (subject !== undefined && subject !== subjectOf(user, launch.system))
    throw new Refusal('login_required', 'another person than the app expects')
}
