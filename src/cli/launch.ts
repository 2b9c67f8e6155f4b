import type { Delivered } from '../demo/desktop-delivery.js'
import { type Command, isOrigin, Refused, text, Usage, type Values } from './command.js'
import { portOf } from './demo.js'
import { demoDelivery, ownDelivery } from './launch-delivery.js'
import { postingPage } from './launch-page.js'

/** The address that a browser can open. */
async function addressOf(
  delivered: Exclude<Delivered, { style: 'refused' }>,
  page: string | undefined,
): Promise<string> {
  if (delivered.style === 'frame-url') return delivered.url
  if (!delivered.action.endsWith('/launch/sealed')) return await postingPage(delivered, page)
  const query = new URLSearchParams(
    delivered.fields.map(({ name, value }): [string, string] => [name, value]),
  )
  return `${delivered.action}?${query}`
}

export const launch: Command = {
  name: 'launch',
  summary: 'make a launch, as a GP system would, and print an address for a browser',
  help: `
In the demonstration (running on this machine) the systems' keys and the people are known. The NHS number
comes from standard input, or is the demonstration's first patient. A launch lives for one minute.

  launch-gateway launch --system gp-push --user gp
  echo 9990000034 | launch-gateway launch --system gp-post --user receptionist
  launch-gateway launch --system gp-push --user gp --fault replay

Elsewhere, give the system's own private key (a JWK with kid):

  echo 9990000018 | launch-gateway launch --gateway https://launch.example.nhs.uk --key key.json \\
    --system example-gp --user u123 --ods A83001 --role-code S0010:G0020:R0260 --birth-date 1938-03-14`,
  options: {
    system: { type: 'string', value: 'ID', help: 'the launch system' },
    user: { type: 'string', value: 'ID', help: 'the user, as that system knows them' },
    app: { type: 'string', value: 'ID', help: 'the app (default care-plan)' },
    patient: {
      type: 'string',
      value: 'N',
      help: 'NHS number, in the demonstration only; better on standard input',
    },
    'birth-date': { type: 'string', value: 'DATE', help: 'YYYY-MM-DD' },
    gateway: {
      type: 'string',
      value: 'URL',
      help: 'the gateway’s issuer (default the demonstration’s)',
    },
    key: {
      type: 'string',
      value: 'FILE',
      help: 'the system’s private JWK; needed outside the demonstration',
    },
    rung: { type: 'string', value: 'RUNG', help: 'with --key: pushed (default) or signed' },
    name: { type: 'string', help: 'with --key: the user’s name' },
    'sds-user-id': { type: 'string', value: 'N', help: 'with --key: 12 digits' },
    'sds-role-profile-id': { type: 'string', value: 'N', help: 'with --key: 12 digits' },
    'role-code': { type: 'string', value: 'CODE', help: 'with --key: S0010:G0020:R0260' },
    activity: {
      type: 'string',
      multiple: true,
      value: 'CODE',
      help: 'with --key: B0360, repeatable',
    },
    ods: { type: 'string', value: 'CODE', help: 'with --key: the organisation' },
    fault: {
      type: 'string',
      value: 'NAME',
      help: 'break it in a known way; `--fault list` names them',
    },
    page: {
      type: 'string',
      value: 'FILE',
      help: 'where to write a page that posts the launch (default: a file that goes in a minute)',
    },
    data: { type: 'string', value: 'DIR', help: 'the demonstration’s data (default .data)' },
    json: { type: 'boolean', help: 'print what is to be opened or posted as JSON' },
  },
  async run(outside, given) {
    const values: Values = { app: 'care-plan', ...given }
    const gateway = text(values, 'gateway') ?? `http://localhost:${portOf(outside)}`
    if (!isOrigin(gateway))
      throw new Usage('--gateway: expected an origin such as https://launch.example.nhs.uk')
    const key = text(values, 'key')
    const delivered = await (key === undefined
      ? demoDelivery(outside, values, gateway)
      : ownDelivery(outside, values, gateway, key))
    if (values.json) return outside.say(JSON.stringify(delivered, undefined, 2))
    if (delivered.style === 'refused') {
      const { error_description: why, reference } = delivered.answer
      throw new Refused(
        `Refused (${delivered.status}): ${why ?? 'no reason given'}${reference ? ` Reference: ${reference}` : ''}`,
      )
    }
    outside.say(await addressOf(delivered, text(values, 'page')))
  },
}
