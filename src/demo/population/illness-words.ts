/**
 * What plans say of an illness. In braces: {He} {he} {him} {his} {His} the patient, {Mr} their title and name, {kin} who
 * stands by them, {word} what those are to them.
 */
import type { ProfileId } from './profiles.js'

export interface Words {
  /** Why CPR would not be right. */
  readonly reason: string
  /** What to do while much can be done, and when little can. */
  readonly early: string
  readonly late: string
  readonly hospital: string
  readonly problems: string
  readonly helps: string
}

// biome-ignore format: a table
export const WORDS: Readonly<Record<Exclude<ProfileId, 'well'>, Words>> = {
  frailty: {
    reason: 'Severe frailty with several long-term conditions. {Mr} has become weaker with each illness this year. CPR would be very unlikely to restart the heart, and would not bring back a life that {he} would want.',
    early: 'Treat what can be treated. Look for a cause of every fall or confusion: infection, constipation, retention, new medicines.',
    late: 'Treat at home first: antibiotics by mouth, fluids by mouth, pain relief. Not for intensive care. Delirium is to be expected with any infection.',
    hospital: 'For a broken bone, or for pain or bleeding that cannot be managed at home. Otherwise ring the community team before conveying.',
    problems: 'Falls, infections of the chest and the urine, confusion when ill, poor appetite.',
    helps: 'Small drinks often. Check for constipation and a full bladder before anything else. A familiar voice and the lights on at night.',
  },
  heart: {
    reason: 'Advanced heart failure with frequent admissions in spite of full treatment. If the heart stops it will be because of the heart failure, and CPR would not be successful.',
    early: 'For full treatment of a flare: intravenous furosemide, oxygen if saturations are low, admission if needed. Weight gain of 2 kg in three days: double the water tablets and ring the heart failure nurse.',
    late: 'Extra water tablets, then community intravenous furosemide. Morphine in low doses for breathlessness. Not for intensive care or a breathing machine.',
    hospital: 'Prefers to be treated at home. Would accept a short admission for intravenous treatment if the community team cannot come the same day.',
    problems: 'Breathlessness, worse when lying flat; swollen legs; waking at night short of breath.',
    helps: 'Sit {him} upright, feet down, window open or a fan on the face. One extra water tablet. Ring the heart failure nurse the same day.',
  },
  airways: {
    reason: 'Very severe COPD: breathless at rest, and three admissions in the last year. CPR and a breathing machine would not help {him} to recover.',
    early: 'Rescue pack at home: prednisolone and doxycycline. For admission and, if needed, a mask for breathing support. Oxygen saturations of 88 to 92% are right for {him}.',
    late: 'Rescue pack first. Breathing support with a mask only if {he} wants to try it again. Low-dose oral morphine and a fan for breathlessness. Not for a breathing machine.',
    hospital: 'For a flare that does not get better within a day of the rescue pack. {He} asks for the respiratory ward.',
    problems: 'Breathlessness, flares after colds, panic with breathlessness.',
    helps: 'Lean forward, arms on a table, breathe out slowly. Reliever through the spacer, four puffs. Oxygen only to 88 to 92%: more can do harm.',
  },
  dementia: {
    reason: 'Advanced dementia with weight loss and loss of mobility. CPR would not be successful, and the attempt would frighten and harm {him}.',
    early: 'For treatment in the usual way, with {kin} beside {him}. Sudden change is delirium until shown otherwise: look for infection, pain and constipation.',
    late: 'Comfort and familiar faces. Antibiotics by mouth if they can be swallowed. Not for drips or feeding by tube: eating and drinking for comfort, accepting the risk.',
    hospital: 'Hospital makes {him} very distressed. Only for a broken hip or an injury that cannot be managed where {he} lives; {kin} will come along.',
    problems: 'Confusion in the evening, refusing care, chest infections from swallowing badly, pain that {he} cannot tell of.',
    helps: 'Come slowly from the front, say who you are, one thing at a time. Watch the face for pain. Paracetamol before care. {kin} can calm {him} by telephone.',
  },
  cancer: {
    reason: 'The cancer has spread and is no longer held by treatment. If the heart stops it will be because of it, and CPR would not be successful.',
    early: 'For full treatment. Fever of 38 °C or more within six weeks of chemotherapy is an emergency: blue light, antibiotics within the hour.',
    late: 'Treat pain, sickness and infection at home. For admission or a hospice bed if symptoms cannot be held. Not for intensive care.',
    hospital: 'Hospice before hospital, if there is a bed. Hospital for what can be put right in a day or two: a drain, a transfusion, a stent.',
    problems: 'Pain, tiredness, sickness, constipation from the pain relief.',
    helps: 'Give the breakthrough dose and wait half an hour; a second may follow. After three in a day ring the hospice advice line. Bowels every other day at least.',
  },
  kidney: {
    reason: 'Kidney failure without dialysis, by {his} own choice, with a weak heart. CPR would not be successful.',
    early: 'For full treatment. Blood tests with any illness that lasts longer than a day; stop ramipril and the like while vomiting.',
    late: 'Conservative care: no dialysis. Treat itching, sickness and breathlessness. No morphine and no codeine: they build up.',
    hospital: 'For a reversible cause, such as dehydration or a blockage. Not for dialysis.',
    problems: 'Itching, tiredness, sickness, swelling, restless legs at night.',
    helps: 'Alfentanil or oxycodone in place of morphine. Emollients and a cool room. Small meals.',
  },
  parkinson: {
    reason: 'Advanced Parkinson disease with swallowing problems and frequent chest infections. CPR would not be successful.',
    early: 'For full treatment. Give the Parkinson medicines on time, every time: a missed dose is an emergency.',
    late: 'Medicines on time, by patch if they cannot be swallowed. Antibiotics by mouth. Not for intensive care or feeding by tube.',
    hospital: 'For a fall with injury. Take the medicines along: the ward may not have them at the right time.',
    problems: 'Freezing, falls, choking, seeing things that are not there.',
    helps: 'No haloperidol and no metoclopramide. Count steps aloud when {he} freezes. Sit upright for every mouthful.',
  },
  neurology: {
    reason: 'The muscles of breathing are failing. CPR would not be successful, and {he} would not want to live with a breathing machine.',
    early: 'For full treatment of infections, with cough assistance. A mask for breathing support at night has been offered.',
    late: 'Antibiotics by mouth, suction, breathing support with {his} own mask as long as it helps. Not for a tube in the windpipe.',
    hospital: 'For a blocked or lost feeding tube. Otherwise hospice or home; ring the specialist team first.',
    problems: 'Thick saliva, choking, cramps, breathlessness when lying flat.',
    helps: 'Sit up, chin down, suction at the side of the mouth only. Choking passes: stay, hold a hand, give the kit if it does not.',
  },
  liver: {
    reason: 'Liver failure that cannot be transplanted. CPR would not be successful.',
    early: 'For full treatment, endoscopy for bleeding included.',
    late: 'Drain the fluid when it is tense. Antibiotics for infection. Endoscopy once for bleeding; not for intensive care.',
    hospital: 'For bleeding, or for confusion that does not clear after two days of lactulose.',
    problems: 'A tense belly, itching, confusion, bleeding from the gullet.',
    helps: 'Lactulose until there are two soft motions a day. Drowsy or muddled: look for bleeding, infection, constipation. Dark towels at hand.',
  },
  stroke: {
    reason: 'Severe disability after strokes, with repeated chest infections. CPR would be very unlikely to succeed, and would not lead to a recovery that {he} would value.',
    early: 'For full treatment. A new weakness, droop or loss of speech is a stroke call, whatever {he} had before.',
    late: 'Antibiotics by mouth. A new stroke: comfort first, no clot-busting treatment. Not for intensive care or feeding by tube.',
    hospital: 'For an injury or for symptoms that cannot be managed at home.',
    problems: 'Choking, chest infections, pain in the weak shoulder, low mood.',
    helps: 'Thickened drinks, upright for half an hour after meals. Approach from the side that {he} can see. Support the weak arm.',
  },
  fibrosis: {
    reason: 'Scarring of the lungs that gets worse in spite of treatment. CPR and a breathing machine would not help.',
    early: 'For treatment of infections, with admission if oxygen does not keep saturations above 88%.',
    late: 'Oxygen for comfort, oral morphine for breathlessness, antibiotics by mouth. Not for a breathing machine.',
    hospital: 'Hospice before hospital.',
    problems: 'Breathlessness on the least effort, dry cough, fear at night.',
    helps: 'Fan, open window, oxygen turned up by a litre for moving about. Oral morphine before washing and dressing.',
  },
  learning: {
    reason: 'Heart and lungs are worn out, and the cardiologists have no more to offer. CPR would not be successful. This is not because of the learning disability.',
    early: 'For full treatment. A learning disability is no reason to leave out anything that would help.',
    late: 'For treatment on a ward with somebody {he} knows beside {him}. Antibiotics by mouth or into a vein. Not for intensive care.',
    hospital: 'Yes, with the hospital passport and somebody whom {he} knows, who may stay day and night. Ring the learning disability nurse.',
    problems: 'Chest infections, fits, and pain that shows as a change of mood.',
    helps: 'Quiet room, one person talking, pictures. Ask {kin} what is usual for {him}. If {he} rocks or stops eating, look for pain.',
  },
  sickle: {
    reason: '',
    early: 'For full active treatment. Chest pain, new breathlessness or low saturations: suspected acute chest syndrome, blue light. Fever of 38 °C or more: sepsis until shown otherwise. Sudden weakness, speech or sight loss: stroke call.',
    late: '',
    hospital: 'Northbank General, which has the haematology team and the matched blood record. Bypass other sites if safe.',
    problems: 'Painful crises in the back and the limbs, brought on by cold, infection or too little to drink.',
    helps: 'Believe the pain. First dose of pain relief within 30 minutes, warmth, fluids. Oxygen if saturations are below 94%. No pethidine.',
  },
}
