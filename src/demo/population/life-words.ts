/** What people say of themselves. Braces as in illness-words.ts. */

const lines = (text: string): readonly string[] => text.trim().split('\n')

export const WORK = lines(`
I drove buses for thirty years and knew every stop.
I was a dinner lady at St Michael's and half the town still says hello.
I was a machinist in the mill until it shut, then a home help.
I taught infants for most of my life.
I was a joiner; the sideboard in the front room is mine.
I ran a corner shop on Market Street with my family.
I worked nights at the post office sorting hall.
I nursed on the old fever ward, and I know what a good nurse is.
I was a railwayman, and I still wake up at four.
I kept the books for the brewery.
I drove a taxi, and I have heard everything.
I was a seamstress; weddings mostly.
I came here to work on the wards and stayed.
I was an engineer at the waterworks.
I cleaned offices so that the children could study.
I worked at the foundry, which is why my hearing is what it is.
I cooked in a school, then in a café of my own.
I brought up a family, which is work enough.
I was a librarian and still mend books.
I laid bricks: half of Rowan Drive is mine.`)

/** For those who are still of an age to work. */
export const WORK_NOW = lines(`
I work in the council's housing office when I am well.
I am training to be a teaching assistant.
I write code from home, which suits the bad days.
I drive deliveries, shorter shifts now.
I cut hair two days a week.
I study part-time and hope to finish next year.
I look after the allotment scheme's books.
I am a support worker and know how forms like this get read.`)

export const JOYS = lines(`
Dominoes on Thursdays and a good argument.
The garden, even if I only look at it now.
My grandchildren coming in without knocking.
Cricket on the radio.
Singing: I know every hymn by heart.
Football on a Saturday, whatever the score.
A proper cup of tea before anybody asks me anything.
Knitting, when my hands allow.
My own front door, and who comes through it.
Old films in the afternoon.
Cooking for too many people.
Prayer at its times, and quiet for it.
The dog, who sleeps on my feet.
Crosswords, in pen.
Music from home, loud.
Being talked to, not about.`)

/** Where somebody else speaks, because the person cannot. */
export const JOYS_TOLD = lines(`
{He} lights up when there is music from when {he} was young.
{He} likes to hold somebody's hand and to have the curtains open.
A walk to the garden and back is the best of {his} day.
{He} likes {his} own cup, and sweet tea.
{He} is calm when {kin} is there, and restless when there is noise.
{He} was always smart: please see that {he} is shaved or combed, and dressed.`)

export const WISHES = lines(`
I am not afraid of dying. I do not want to be in pain, and I do not want a fuss.
I would like to be at home for as long as {kin} can manage, and no longer.
Please tell {kin} first, and tell the truth.
I want to be awake enough to say goodbye.
No machines. I have seen them.
I want everything tried that has a fair chance; when it has none, let me be.
I would like the window open and somebody with me.
My papers are in the top drawer, and the music is chosen.`)

export const WISHES_TOLD = lines(`
{He} always said that {he} did not want to be kept going for the sake of it.
{He} made {kin} promise that {he} would not die among strangers.
{He} never spoke of it. The family wish for comfort and for somebody to be there.
{He} wanted a plain funeral and a good tea.`)

export const MOBILITY = {
  well: 'Walks without help, slower on stairs.',
  some: 'Walks indoors with a frame. Needs one person for stairs and for the bath. Has fallen this year.',
  little: 'From bed to chair with one or two people. Not safe to stand alone.',
  bed: 'In bed. Turns with two people and a slide sheet, for comfort only.',
} as const

export const SUPPORT = {
  alone:
    'Lives alone. Carers come up to four times a day (Northbank Home Care). {kin} comes most days.',
  partner: 'Lives with {kin}, who does most of it. Carers in the morning.',
  family: 'Lives with {kin} and family. Somebody is nearly always in.',
  'care-home': 'Staff of the home day and night. {kin} visits.',
} as const

/** For those who need little. */
export const SUPPORT_LITTLE = {
  alone: 'Lives alone and manages. {kin} helps with shopping.',
  partner: 'Lives with {kin}. Needs no help yet.',
  family: 'Lives with {kin} and family, who help when it is a bad day.',
  'care-home': 'Supported living, staff day and night.',
} as const

export const ACCESS = lines(`
Key safe beside the front door; the district nurses and the ambulance service hold the code.
Ring twice and wait: it takes a while to get to the door.
Side gate, then the back door, which is open by day.
Buzzer 0 rings the warden by day; key safe in the bin store at night.`)

/** For those who live alone. */
export const ACCESS_BY_KIN = '{kin} holds a key and lives close by.'

export const ADJUSTMENTS = lines(`
Allow more time, and say one thing at a time.
Speak from the front; check that hearing aids are in and switched on.
Letters in large print.
Two people for every transfer.
Telephone before coming, so that somebody can be there.
A quiet place to wait, or the first appointment of the day.`)
