import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { showAge, showDay, showSince } from '../../public/care-plan/dates.js'
import { readSettings } from '../../public/care-plan/definition.js'
import { isDue, showReadAge } from '../../public/care-plan/freshness.js'
import {
  dayParts,
  dayText,
  dayWords,
  numberParts,
  problemOf,
} from '../../public/care-plan/half-typed.js'
import {
  bannerOf,
  type FhirPatient,
  readPatient,
  showName,
} from '../../public/care-plan/patient.js'
import { clockFrom, nextStep, showLeft } from '../../public/care-plan/session-clock.js'
import { harmless } from '../../public/care-plan/text.js'
import { piecesOf } from '../../public/care-plan/whole.js'

const day = (year: number, month: number, day: number) => ({ year, month, day })

describe('dates and ages, as the NHS banner shows them', () => {
  it.each([
    ['1942-03-12', '12-Mar-1942'],
    ['1942-03', 'Mar-1942'],
    ['1942', '1942'],
    ['2026-02-03T04:20:00+00:00', '03-Feb-2026'],
    ['about 1940', 'about 1940'],
  ])('shows %s as %s', (text, shown) => {
    expect(showDay(text)).toBe(shown)
  })

  it.each([
    ['the day before an 88th birthday', '1938-03-14', day(2026, 3, 13), '87y'],
    ['on an 88th birthday', '1938-03-14', day(2026, 3, 14), '88y'],
    ['at seventeen', '2009-01-02', day(2026, 11, 23), '17y 10m'],
    ['in the second year', '2025-05-01', day(2026, 11, 1), '18m'],
    ['in the first year', '2026-08-01', day(2026, 11, 1), '13w'],
    ['in the first weeks', '2026-10-31', day(2026, 11, 1), '1d'],
    ['born tomorrow', '2026-11-02', day(2026, 11, 1), ''],
    ['of a partial date', '1938', day(2026, 11, 1), ''],
    ['of a day that does not exist', '1938-02-30', day(2026, 11, 1), ''],
  ])('gives the age %s', (_, birth, at, age) => {
    expect(showAge(birth, at)).toBe(age)
  })

  it.each([
    ['2026-11-23', 'today'],
    ['2026-11-22', '1 day ago'],
    ['2026-03-12', '8 months ago'],
    ['2024-03-12', '2 years ago'],
    ['2026-11-24', ''],
  ])('says how long ago %s was', (text, words) => {
    expect(showSince(text, day(2026, 11, 23))).toBe(words)
  })
})

describe('the patient banner', () => {
  const patient: FhirPatient = {
    resourceType: 'Patient',
    id: 'pat-1',
    identifier: [
      { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000050', use: 'old' },
      { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' },
    ],
    name: [
      { use: 'old', family: 'Smith', given: ['Margaret'] },
      { use: 'usual', family: 'O’Neill', given: ['Margaret'], prefix: ['Mrs'] },
    ],
    gender: 'female',
    birthDate: '1938-03-14',
    address: [{ line: ['1 High Street'], postalCode: 'NB1 1AA' }],
  }
  const today = day(2026, 11, 23)

  it('shows the current name and number', () => {
    expect(bannerOf(patient, today)).toEqual({
      name: 'O’NEILL, Margaret (Mrs)',
      born: '14-Mar-1938 (88y)',
      gender: 'Female',
      nhsNumber: '999 000 0018',
      address: '1 High Street, NB1 1AA',
      sensitive: false,
      replaced: false,
    })
  })

  it('gives a dead person the age at death, and none today', () => {
    const dead = bannerOf({ ...patient, deceasedDateTime: '2026-02-03' }, today)
    expect(dead).toMatchObject({ born: '14-Mar-1938', died: '03-Feb-2026 (87y)' })
    expect(bannerOf({ ...patient, deceasedBoolean: true }, today).died).toBe('date not recorded')
  })

  it.each(['R', 'V'])('leaves the address out of a record that is marked %s', (code) => {
    const banner = bannerOf({ ...patient, meta: { security: [{ code }] } }, today)
    expect(banner).not.toHaveProperty('address')
    expect(banner.sensitive).toBe(true)
  })

  it('shows a name that is only text, and says when there is none', () => {
    expect(showName({ text: 'Known as Jo' })).toBe('Known as Jo')
    expect(showName(undefined)).toBe('Name not available')
  })

  it.each([
    ['another id', { ...patient, id: 'pat-2' }],
    ['another type', { ...patient, resourceType: 'Person' }],
    ['nothing', null],
  ])('takes nothing for the patient that has %s', (_, json) => {
    expect(readPatient(json, 'pat-1')).toBeUndefined()
  })
})

describe('text from the record', () => {
  it('loses bidirectional controls and control characters, and keeps lines, accents and joiners', () => {
    expect(harmless('a\u202eb\u2066c\u0007d\r\ne\tf é \u200d')).toBe('abcd\ne\tf é \u200d')
  })
})

describe('what is read in one piece', () => {
  const whole = (text: string) =>
    piecesOf(text)
      .filter(({ kind }) => kind === 'whole')
      .map((piece) => piece.text)

  // biome-ignore format: a table
  it.each<[string, readonly string[]]>([
    ['Read on 26-Nov-2026 at 17:19, decided Mar-2026',  ['26-Nov-2026 at 17:19', 'Mar-2026']],
    ['Seen on 5th May and 12 March 2026.',              ['5th May', '12 March 2026']],
    ['Morphine 2.5 mg (2.5 to 5 mg hourly), 10 mg/5 mL', ['2.5 mg', '2.5 to 5 mg', '10 mg/5 mL']],
    ['Glycopyrronium 200 micrograms under the skin',    ['200 micrograms']],
    ['Give .5 mg, 0·5 mg, ≥ 10 mL, <5 mg or -2 °C',     ['.5 mg', '0·5 mg', '≥ 10 mL', '<5 mg', '-2 °C']],
    ['1/2 tablet, 1½ tablets, 50,000,000 units, 2 mg/kg/day', ['1/2 tablet', '1½ tablets', '50,000,000 units', '2 mg/kg/day']],
    ['Ring 020 7946 0018, 07700 900181 or +44 20 7946 0018', ['020 7946 0018', '07700 900181', '+44 20 7946 0018']],
    ['NHS No. 999 000 0018, NB1 4QT, GMC 9000018',      ['999 000 0018', 'NB1 4QT', 'GMC 9000018']],
    ['Clinical Frailty Scale 7 with 2 magnets in 2026', []],
  ])('is found in: %s', (text, found) => {
    expect(whole(text)).toEqual(found)
  })

  it('may be broken where it is longer than a narrow line', () => {
    const address = 'https://documents.example.nhs.uk/lasting-power-of-attorney'
    expect(piecesOf(`See ${address}.`)).toEqual([
      { text: 'See ' },
      { text: `${address}.`, kind: 'long' },
    ])
  })

  it('is never more or less than the text', () => {
    const part = fc.constantFrom('12 ', 'Mar', '-', '2026 ', '2.5 mg', ' to ', '0', '\n', 'ß', '(0')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((some) => some.join('')),
        ),
        (text) => {
          expect(
            piecesOf(text)
              .map((piece) => piece.text)
              .join(''),
          ).toBe(text)
        },
      ),
    )
  })
})

describe('reading the record anew', () => {
  const at = 1_700_000_000_000
  const seconds = (n: number) => at + n * 1000

  // biome-ignore format: a table
  it.each<['back' | 'there', number, number, boolean]>([
    ['back',   59, -600, false],
    ['back',   60, -600, true],
    ['there', 179, -600, false],
    ['there', 180, -600, true],
    // What was tried a moment ago and did not answer is not asked again by the next movement of the mouse.
    ['there', 600,  541, false],
    ['back',  600,  541, false],
    ['there', 600,  540, true],
    // A clock that was put back.
    ['back',  -60, -600, false],
  ])('follows a sign of the user (%s) after %d seconds, tried at %d: %s', (sign, now, tried, due) => {
    expect(isDue(sign, at, seconds(tried), seconds(now))).toBe(due)
  })

  it('tells how old what is shown is once it is minutes', () => {
    const ages = [0, 119, 120, 899, -30].map((one) => showReadAge(at, seconds(one)))
    expect(ages).toEqual(['', '', '2 minutes ago', '14 minutes ago', ''])
  })
})

describe('the session clock', () => {
  const T = 1_000_000_000
  const clock = clockFrom({ idleSeconds: 900 }, T)

  it.each([
    ['nothing a second before the warning', 779, { do: 'nothing' }],
    ['warns two minutes before the end', 780, { do: 'warn', left: 120_000, extendable: true }],
    ['warns until the last second', 899, { do: 'warn', left: 1_000, extendable: true }],
    ['ends at the end', 900, { do: 'end', why: 'idle' }],
    ['ends on a computer that slept', 90_000, { do: 'end', why: 'idle' }],
  ])('does %s', (_, seconds, step) => {
    expect(nextStep(clock, T + seconds * 1000)).toEqual(step)
  })

  it('renews once the user was active and a quarter of the patience is over', () => {
    const active = { ...clock, active: T + 1000 }
    expect(nextStep(active, T + 224_000)).toEqual({ do: 'nothing' })
    expect(nextStep(active, T + 225_000)).toEqual({ do: 'renew' })
    expect(nextStep(clock, T + 225_000)).toEqual({ do: 'nothing' })
  })

  it('cannot be extended beyond the longest time', () => {
    const short = clockFrom({ idleSeconds: 900, endsAt: T / 1000 + 600, issuedAt: T / 1000 }, T)
    expect(nextStep(short, T + 500_000)).toEqual({ do: 'warn', left: 100_000, extendable: false })
    expect(nextStep(short, T + 600_000)).toEqual({ do: 'end', why: 'over' })
  })

  it('trusts the gateway’s clock for the gateway’s times', () => {
    const slow = clockFrom({ endsAt: 5600, issuedAt: 5000 }, T)
    expect(slow.ends).toBe(T + 600_000)
  })

  it('ends with the access token when nothing can renew it', () => {
    expect(nextStep(clockFrom({ lastSeconds: 600 }, T), T + 600_000)).toEqual({
      do: 'end',
      why: 'over',
    })
  })

  it('tells the time left in words', () => {
    expect([118_000, 60_000, 1_000, 0].map(showLeft)).toEqual([
      '1 minute 58 seconds',
      '1 minute',
      '1 second',
      '0 seconds',
    ])
  })
})

describe('the app’s settings', () => {
  it.each([
    ['no issuers', { issuers: [], clientId: 'care-plan' }],
    ['no client', { issuers: ['https://gw.example/fhir'] }],
    ['nothing', null],
  ])('are refused with %s', (_, json) => {
    expect(readSettings(json)).toBeUndefined()
  })
})

describe('what is typed and not finished', () => {
  const date = { id: 'd', node: 'at0002', title: 'Review date', type: 'date' } as const
  const line = fc.string({ maxLength: 6 }).map((text) => text.replace(/\s+/g, ' ').trim())

  it('keeps a day as it was typed, and is a day only when it is one', () => {
    expect(dayText(['5', '11', '2026'])).toBe('2026-11-05')
    expect(dayParts('2026-11-05')).toEqual(['05', '11', '2026'])
    // biome-ignore format: a table
    for (const typed of [['5', '', ''], ['', '11', ''], ['', '', '2026'], ['31', '2', '2026'], ['5', '11', '26'], ['soon', '-', '']] as const) {
      const text = dayText(typed)
      expect(dayParts(text)).toEqual(typed)
      expect(problemOf(date, text)).toBe('Review date must be a real date, such as 5 11 2026')
      expect(dayWords(text)).toMatch(/ \(not a whole date\)$/)
    }
    fc.assert(
      fc.property(line, line, line, (...typed) => {
        const text = dayText(typed)
        if (problemOf(date, text)) expect(dayParts(text)).toEqual(typed)
        else expect(text).toMatch(/^(?:\d{4}-\d\d-\d\d)?$/)
      }),
    )
  })

  it.each(['2026', '2026-03', '2026-03-12', ''])('leaves %j of the record as it is', (recorded) => {
    expect(problemOf(date, recorded)).toBeUndefined()
    expect(dayParts(recorded).filter((part) => part !== '').length).toBe(
      recorded.split('-').filter((part) => part !== '').length,
    )
  })

  it('keeps a number as it was typed, and its unit', () => {
    const field = { id: 'q', node: 'at0002', title: 'Weight', type: 'quantity' } as const
    const weight = { ...field, units: { kg: 'kg' }, range: [1, 300] } as const
    fc.assert(
      fc.property(line, (typed) => {
        expect(numberParts(`${typed} kg`, '1')).toEqual({ number: typed, unit: 'kg' })
      }),
    )
    expect(problemOf(weight, '54.5 kg')).toBeUndefined()
    expect(problemOf(weight, 'about 54 kg')).toBe('Weight must be a number, such as 40 or 2.5')
    expect(problemOf(weight, '540 kg')).toBe('Weight must be between 1 and 300')
  })

  it('says what is wrong in a row, and in a text that is too long or missing', () => {
    const name = { id: 'n', node: 'at0003', title: 'Name', type: 'text', required: true } as const
    const rows = { id: 'r', node: 'at0004', title: 'Attorney', type: 'group' } as const
    const group = { ...rows, fields: [name, date] }
    const text = JSON.stringify([{ n: 'Ruth' }, { d: dayText(['5', '', '']) }])
    expect(problemOf(group, text)).toBe(
      'Attorney 2: Name: this must be filled in; Attorney 2: Review date must be a real date, such as 5 11 2026',
    )
    expect(problemOf({ ...name, most: 3 }, 'Ruth')).toBe('Name: shorten it by 1 character')
    expect(problemOf(name, '')).toBe('Name: this must be filled in')
  })
})
