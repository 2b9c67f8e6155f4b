/** Where people live: a town that is on no map, with a postcode area that does not exist. */
import type { Draw } from './draw.js'

export type Home = 'alone' | 'partner' | 'family' | 'care-home'

const STREETS =
  'Alma Road, Ashgrove Avenue, Bank Street, Bowling Green Lane, Brook Street, Canal Terrace, Chapel Walk, Chestnut Close, Church Lane, Coronation Road, Dale View, Derwent Drive, Elm Grove, Factory Lane, Fernhill Road, Gladstone Street, Glebe Road, Grange Avenue, Hawthorn Way, Heath Road, Hillcrest, Jubilee Gardens, Kingfisher Close, Lime Avenue, Lock Lane, Maroon Street, Meadow Rise, Mill Lane, Nelson Street, Oakfield Road, Park Parade, Priory Road, Quarry Bank, Railway Terrace, Rowan Drive, School Lane, Spinney Way, Station Road, Tanner Row, Victoria Street, Wellington Road, Wharf Side, Willow Bank, Windmill Hill, Woodland Crescent, York Street'.split(
    ', ',
  )
const BLOCKS = [
  'Tanner House',
  'Meridian Point',
  'Albion Court',
  'Weavers Court',
  'Harbour Heights',
]
const LETTERS = 'ABDEFGHJLNPQRSTUWXYZ'.split('')

export interface CareHome {
  readonly name: string
  readonly street: string
  readonly postcode: string
  readonly phone: string
}

// biome-ignore format: a table
export const CARE_HOMES: readonly CareHome[] = [
  { name: 'Larchfield Care Home',    street: '80 Station Road',     postcode: 'NB3 9LR', phone: '020 7946 0142' },
  { name: 'Beech House Nursing Home', street: '2 Grange Avenue',    postcode: 'NB6 1BH', phone: '020 7946 0143' },
  { name: 'The Moorings',            street: '15 Wharf Side',       postcode: 'NB8 4TM', phone: '020 7946 0144' },
  { name: 'Rowan Lodge',             street: '41 Rowan Drive',      postcode: 'NB2 6RL', phone: '020 7946 0145' },
]

const postcode = (draw: Draw): string =>
  `NB${draw.between(1, 9)} ${draw.between(1, 9)}${draw.one(LETTERS)}${draw.one(LETTERS)}`

export function addressOf(draw: Draw, home: CareHome | undefined) {
  const city = 'Northbank'
  if (home !== undefined)
    return { line: `${home.name}, ${home.street}`, city, postcode: home.postcode }
  const line = draw.chance(0.2)
    ? `Flat ${draw.between(1, 48)}, ${draw.one(BLOCKS)}`
    : `${draw.between(1, 180)} ${draw.one(STREETS)}`
  return { line, city, postcode: postcode(draw) }
}

/** Of the numbers that are kept free for drama. @see Ofcom, "Telephone numbers for use in TV and radio drama" */
export const mobile = (draw: Draw): string => `07700 900${draw.between(200, 999)}`
export const landline = (draw: Draw): string => `020 7946 0${draw.between(200, 999)}`
