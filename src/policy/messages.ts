/** Cedar's commonest sentences in plainer words: what is wrong, and what would mend it. */
import { ACTIVITIES, CONTEXT, PRINCIPAL, ROLE_TYPE, USER_TYPE } from './vocabulary.js'

const listed = (names: readonly string[]): string => names.join(', ')
const CONTEXT_NAMES = listed(Object.keys(CONTEXT))
const USER_NAMES = listed([ACTIVITIES, ...Object.keys(PRINCIPAL)])

/** Cedar's types as the writer of a policy would say them. */
const TYPES: Readonly<Record<string, string>> = {
  Long: 'a number',
  String: 'a text',
  Bool: 'true or false',
  'Set<String>': 'a set of texts',
  'Set<Long>': 'a set of numbers',
}
const said = (type: string): string => TYPES[type] ?? `a ${type}`

/** What helps where two types do not go together. */
function remedy(types: readonly string[]): string {
  if (types.includes('Set<String>')) return ': ask a set of texts with .contains("…")'
  return types.includes('Long') && types.includes('String')
    ? ': numbers stand without quotes, texts in double quotes'
    : ''
}

function absent(name = '', type = ''): string {
  if (type !== USER_TYPE) return `${type} has no attribute "${name}": name it, as in ${type}::"…"`
  return /^roles?$/.test(name)
    ? `${USER_TYPE} has no attribute "${name}": roles are asked for with principal in ${ROLE_TYPE}::"…"`
    : `${USER_TYPE} has no attribute "${name}"; there are ${USER_NAMES}`
}

const SCOPE = 'a policy begins with (principal, action, resource), in that order'
const ENTITY_OR_TEXT =
  '"in" is for roles and other named things: ask for a text with ["a", "b"].contains(…)'

type Row = readonly [RegExp, string | ((...found: string[]) => string)]

// biome-ignore format: a table
const ROWS: readonly Row[] = [
  // As it is read.
  [/unexpected end of input; expected `;`.*/s,                         'a semicolon (;) is missing at the end of the policy'],
  [/unexpected token `[^`]*`; expected `;` or identifier.*/s,          'a semicolon (;) is missing before this'],
  [/invalid policy condition: (permit|forbid);.*/s,                    'a semicolon (;) is missing before "$1"'],
  [/invalid policy condition: (.*?);.*/s,                              'a condition begins with when or unless, not with "$1"'],
  [/invalid policy effect: (.*?);.*/s,                                 'a policy begins with permit or forbid, not with "$1"'],
  [/unexpected end of input; expected (.*)/s,                          'the policy ends too early; expected $1'],
  [/'=' is not a valid operator in Cedar.*/s,                          '"=" does not compare: write "=="'],
  [/invalid token; strings must use double quotes.*/s,                 'texts stand in double quotes ("…"), not in single ones'],
  [/invalid token; try checking that all strings are closed.*/s,       'a text is not closed: its second double quote (") is missing'],
  [/^invalid token$/,                                                  'this character means nothing here: quotes are straight ("), a comment begins with //, "and" is &&'],
  [/unexpected token `(and|or)`.*/s,                                   (_, word = '') => `"${word}" is written ${word === 'and' ? '&&' : '||'}`],
  [/unexpected token `\/`.*/s,                                         'this means nothing here: a comment begins with // and goes to the end of the line'],
  [/unexpected token `\(`; expected `\{`/,                             'a condition stands in braces, when { … }, and a semicolon (;) before the next policy'],
  [/unexpected token `([^`]*)`; expected `([)\]}])`$/,                 'a "$2" is missing before "$1"'],
  [/unexpected token `([^`]*)`; expected `else`/,                      'an "else" is missing before "$1"'],
  [/unexpected token `([^`]*)`; expected `@` or identifier/,           '"$1" is left over: the policy before it has ended'],
  [/unexpected token `([^`]*)`; expected string literal/,              '"$1" should be a text in double quotes'],
  [/unexpected token `([^`]*)`(?:; expected (.*))?/s,                  '"$1" is not expected here; expected $2'],
  [/invalid variable: (\w+);.*/s,                                      '"$1" is not a name that is known here: a text stands in double quotes, an attribute follows principal. or context.'],
  [/expected an entity uid, found literal `"(.*)"`.*/s,                'what kind of thing "$1" is must be said, as in Action::"read" or Role::"gp"'],
  [/expected single entity uid or template slot, found set.*/s,        'only "action in […]" takes a list here: write the others in a condition, when { resource in […] }'],
  [/this policy is missing the `(\w+)` variable in the scope.*/s,      `"$1" is missing: ${SCOPE}`],
  [/found the variable `(\w+)` where the variable `(\w+)` must be.*/s, `"$1" stands where "$2" belongs: ${SCOPE}`],
  [/found an invalid variable in the policy scope: (\w+).*/s,          `"$1" means nothing here: ${SCOPE}`],
  [/`(\w+)` is not a valid method.*/s,                                 'there is no ".$1(…)": sets have contains, containsAny, containsAll and isEmpty'],
  [/`(\w+)` is not a valid function.*/s,                               'there is no "$1(…)"'],
  [/multiple relational operators .*/s,                                'two comparisons stand in a row: join them with &&'],
  [/duplicate annotation: (@\w+)/,                                     '$1 stands twice'],
  [/`(when|unless)` condition clause cannot be empty/,                 'there is nothing in $1 { }: say what it depends on, or take it away'],
  [/integer parse error: number too large.*/s,                         'the number is too large'],
  // As it is checked.
  [/entity `(\w+)::"([^"]*)"` is of an enumerated entity type, but .*; valid entity eids: (.*)$/s, 'there is no $1 "$2"; there are $3'],
  [/attribute `(\w+)` on entity type `(\w+)` not found.*/s,            (_, name, type) => absent(name, type)],
  [/attribute `(\w+)` in context for .* not found.*/s,                 `the context has no attribute "$1"; there are ${CONTEXT_NAMES}`],
  [/unrecognized action `Action::"([^"]*)"`(?:; did you mean `Action::"([^"]*)"`\?)?/, (_, name = '', other?) => `there is no action "${name}"${other ? `; did you mean "${other}"?` : ''}`],
  [/unrecognized entity type `(\w+)`(?:; did you mean `(\w+)`\?)?/,    (_, name = '', other?) => `there is no entity "${name}"${other ? `; did you mean "${other}"?` : ''}`],
  [/unexpected type: expected .*AnyEntity.* but saw .*/s,              ENTITY_OR_TEXT],
  [/unexpected type: expected Set<.*> but saw String.*/s,              'a text is no set: compare it with ==, or look for it with ["a", "b"].contains(…)'],
  [/unexpected type: expected Bool but saw (.*?)(;.*)?$/s,             (_, type = '') => `this is ${said(type)}, not a condition: compare it with something`],
  [/unexpected type: expected (\S+) but saw (\S+?)(;.*)?$/s,           (_, a = '', b = '') => `expected ${said(a)}, is ${said(b)}${remedy([a, b])}`],
  [/the types (\S+) and (\S+) are not compatible.*/s,                  (_, a = '', b = '') => `${said(a)} and ${said(b)} cannot be compared${remedy([a, b])}`],
  [/empty set literals are forbidden in policies/,                     'an empty set [] cannot be used: use .isEmpty()'],
  [/policy is impossible: the policy expression evaluates to false for all valid requests/, 'it can never apply'],
  [/unable to find an applicable action given the policy scope constraints/, 'no action goes with this principal and resource'],
]

/** @param text as Cedar said it: message, what was expected, help */
export function plainly(text: string): string {
  for (const [pattern, words] of ROWS) {
    if (pattern.test(text)) return text.replace(pattern, words as string)
  }
  return text
}
