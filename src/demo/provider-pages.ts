/** The pretend provider's pages. They say on every one that nothing here is real. */
import type { Assurance } from '../core/roles.js'
import { METHODS } from './provider-assurance.js'
import { jobRole, type ProviderRole, type ProviderUser } from './provider-people.js'

/** Text that is already markup. Anything else is escaped when it is put into a page. */
interface Markup {
  readonly markup: string
}
type Part = string | number | Markup | readonly Markup[] | undefined

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const rendered = (part: Part): string => {
  if (part === undefined) return ''
  if (typeof part === 'object') {
    return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('')
  }
  return String(part).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Markup => ({
  markup: texts.map((text, i) => text + rendered(parts[i])).join(''),
})

export const STYLE = `
:root { color: #212b32; background: #f0f4f5; font: 1.0625rem/1.5 "Frutiger W01", Arial, sans-serif }
body { margin: 0 }
header { background: #4c2a6b; color: #fff; padding: .75rem 1rem }
header p, main { max-width: 40rem; margin: 0 auto }
main { padding: 1rem }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 }
.warning { background: #fff; border: 4px solid #d5281b; padding: .75rem 1rem; margin: 1rem 0 }
.warning strong { color: #d5281b; display: block; font-size: 1.25rem }
.error { background: #fff; border-left: 8px solid #d5281b; padding: .75rem 1rem; margin: 1rem 0 }
fieldset { border: 0; margin: 1.25rem 0; padding: 0 }
legend { font-size: 1.2rem; font-weight: bold; padding: 0; margin-bottom: .5rem }
.choice { display: grid; grid-template-columns: 2.25rem 1fr; align-items: start; background: #fff;
  border: 1px solid #768692; padding: .5rem .6rem; margin-bottom: .4rem; min-height: 1.75rem }
.choice input { width: 1.5rem; height: 1.5rem; margin: 0; accent-color: #005eb8 }
.choice label { cursor: pointer; display: block }
.choice small { display: block; color: #4c6272; font-size: .9375rem }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 }
button, .button { font: inherit; font-weight: bold; border: 0; border-radius: 4px; padding: .7rem 1.2rem;
  background: #007f3b; color: #fff; cursor: pointer; text-decoration: none }
button.other { background: #4c6272 }
a { color: #005eb8 }
:focus-visible { outline: 4px solid #ffeb3b; box-shadow: 0 0 0 6px #212b32; outline-offset: 0 }
`

const WARNING = html`<div class="warning" role="note"><strong>This is a pretend sign-in service</strong>
It asks for no password and anyone can be anyone. Every person here is invented. Never use it with real
patients.</div>`

const page = (title: string, base: string, content: Markup): string =>
  html`<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>${title} – pretend sign-in service</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${base}/style.css"></head>
<body><header><p>Pretend hospital: sign-in service</p></header>
<main><h1>${title}</h1>${WARNING}${content}</main></body></html>`.markup

interface Choosable {
  readonly value: string
  readonly label: string
  readonly hint: string
}

const radios = (
  name: string,
  legend: string,
  rows: readonly Choosable[],
  chosen?: string,
): Markup =>
  html`<fieldset><legend>${legend}</legend>${rows.map(
    ({ value, label, hint }) => html`<div class="choice">
<input type="radio" id="${name}-${value}" name="${name}" value="${value}" required${
      value === chosen ? html` checked` : undefined
    }>
<label for="${name}-${value}">${label} <small>${hint}</small></label></div>`,
  )}</fieldset>`

const ACTIONS = html`<div class="actions"><button type="submit">Continue</button>
<button class="other" type="submit" name="cancel" value="yes" formnovalidate>Cancel</button></div>`

const errorBox = (error: string | undefined): Markup | undefined =>
  error === undefined ? undefined : html`<div class="error" role="alert">${error}</div>`

const placeOf = (user: ProviderUser): string => {
  if (user.role_profile !== '') return `${jobRole(user)}, ${user.org}`
  return user.ods === '' ? user.org : `No role, ${user.org}`
}

export interface PersonPage {
  readonly base: string
  readonly action: string
  readonly users: readonly ProviderUser[]
  readonly team: readonly ProviderUser[]
  readonly least: Assurance
  readonly chosen?: string
  readonly error?: string
}

const peopleOf = (users: readonly ProviderUser[]): readonly Choosable[] =>
  users.map((user) => ({ value: user.id, label: user.name, hint: placeOf(user) }))

export function personPage(asked: PersonPage): string {
  const { base, action, users, team, least, chosen, error } = asked
  const groups =
    team.length === 0
      ? radios('person', 'Person', peopleOf(users), chosen)
      : html`${radios('person', 'Security team', peopleOf(team), chosen)}
${radios('person', 'Clinicians and others, whom the console does not know', peopleOf(users), chosen)}`
  const methods = METHODS.filter(({ assurance }) => assurance >= least).map((method) => ({
    value: `${method.assurance}`,
    label: method.name,
    hint: method.hint,
  }))
  const stronger = html`<p>You were asked to sign in with a smartcard.</p>`
  return page(
    'Choose who to sign in as',
    base,
    html`${errorBox(error)}${least === 3 ? stronger : undefined}
<form method="post" action="${action}" data-step="person">${groups}
${radios('assurance', 'How you sign in', methods, methods[0]?.value)}${ACTIONS}</form>`,
  )
}

export interface RolePage {
  readonly base: string
  readonly action: string
  readonly user: ProviderUser
  readonly assurance: Assurance
  readonly roles: readonly ProviderRole[]
  readonly error?: string
}

export function rolePage({ base, action, user, assurance, roles, error }: RolePage): string {
  const rows = roles.map((role) => ({
    value: role.role_profile,
    label: jobRole(role),
    hint: role.org,
  }))
  return page(
    'Choose your role',
    base,
    html`${errorBox(error)}<p>${user.name} works in more than one place. Choose the role for this session.</p>
<form method="post" action="${action}" data-step="role">
<input type="hidden" name="person" value="${user.id}"><input type="hidden" name="assurance" value="${assurance}">
${radios('role', 'Role', rows)}${ACTIONS}</form>`,
  )
}

/** @param form the library's own form, whose id the buttons name */
export const signOutPage = (base: string, form: string): string =>
  page(
    'Sign out',
    base,
    html`<p>Signing out here ends your session at the care plan gateway as well: as when a smartcard is
removed.</p>${{ markup: form }}
<div class="actions"><button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button></div>`,
  )

export const signedOutPage = (base: string): string =>
  page('You are signed out', base, html`<p>You can close this page.</p>`)

export const homePage = (base: string): string =>
  page(
    'Sign-in service',
    base,
    html`<p>Applications send you here when you need to sign in. There is nothing to do on this page but to
<a href="${base}/sign-out">sign out</a>.</p>`,
  )

export const problemPage = (base: string, problem: string): string =>
  page(
    'You could not be signed in',
    base,
    html`<p>${problem}</p><p>Close this page and start again from the patient record.</p>`,
  )
