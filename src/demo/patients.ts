/** The demonstration's patients by name: whom documents and tests speak of. The others are in population/. */
import type { DemoPatient } from './patient.js'

export type { DemoAllergy, DemoPatient, DemoProblem } from './patient.js'

// biome-ignore format: a table
export const PATIENTS: readonly DemoPatient[] = [
  {
    nhsNumber: '9990000018', fhirId: '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01', ehrId: 'b1f6d8a2-0c94-4e37-8f5a-6d2e9c71b401',
    title: 'Mrs', given: 'Margaret Ellen', family: 'Ashworth', birthDate: '1938-03-14', gender: 'female',
    address: { line: '14 Canal Terrace', city: 'Northbank', postcode: 'NB1 4QT' }, phone: '020 7946 0018',
    plan: true,
    problems: [
      { text: 'Heart failure with reduced ejection fraction', code: '703272007', since: '2019' },
      { text: 'Chronic obstructive pulmonary disease', code: '13645005', since: '2011' },
      { text: 'Severe frailty', code: '925861000000102', since: '2024' },
      { text: 'Atrial fibrillation', code: '49436004', since: '2017' },
    ],
    allergies: [{ text: 'Penicillin', code: '91936005', reaction: 'Widespread itchy rash' }],
    medication: [
      'Bisoprolol 2.5 mg tablets, one each morning',
      'Furosemide 40 mg tablets, two each morning',
      'Apixaban 2.5 mg tablets, one twice a day',
      'Tiotropium 18 microgram inhalation capsules, one a day',
      'Paracetamol 500 mg tablets, two up to four times a day',
    ],
  },
  {
    nhsNumber: '9990000026', fhirId: '8a3b7c54-1e62-4d09-b7f8-2f9e6a4c5b02',
    title: 'Mr', given: 'Callum Reid', family: 'Fraser', birthDate: '1991-07-22', gender: 'male',
    address: { line: 'Flat 6, Tanner House', city: 'Northbank', postcode: 'NB2 7DD' }, phone: '07700 900026',
    plan: false,
    problems: [
      { text: 'Asthma', code: '195967001', since: '2002' },
    ],
    allergies: [],
    medication: [
      'Budesonide with formoterol 200/6 inhaler, one puff twice a day and when needed',
    ],
  },
  {
    nhsNumber: '9990000034', fhirId: 'c7e91d60-5b2f-4a78-8d3c-9b1a4f6e2d03', ehrId: 'e4a90c37-6b18-4f52-a9d1-0c7f5e83b203',
    title: 'Ms', given: 'Yasmin', family: 'Rahman', birthDate: '1974-11-02', gender: 'female',
    address: { line: '3 Orchard Mews', city: 'Northbank', postcode: 'NB5 1HA' }, phone: '07700 900034',
    sensitive: true, plan: true,
    problems: [
      { text: 'Metastatic carcinoma of ovary', since: '2023' },
      { text: 'Malignant ascites', since: '2025' },
    ],
    allergies: [],
    medication: [
      'Morphine sulfate modified-release 20 mg capsules, one twice a day',
      'Oral morphine solution 10 mg/5 mL, 5 mL when needed',
      'Senna 7.5 mg tablets, two at night',
    ],
  },
  {
    nhsNumber: '9990000042', fhirId: '1d8f4b93-a06e-4c57-9e21-7a5c3d8b6f04', ehrId: '2c85e1f9-d473-4b06-9a8e-4f1b7d60c504',
    title: 'Mr', given: 'Albert George', family: 'Pemberton', birthDate: '1931-01-19', gender: 'male',
    address: { line: 'Larchfield Care Home, 80 Station Road', city: 'Northbank', postcode: 'NB3 9LR' }, phone: '020 7946 0042',
    deceased: '2026-02-08', plan: true,
    problems: [
      { text: 'Primary malignant neoplasm of lung', code: '93880001', since: '2025' },
      { text: 'Chronic kidney disease stage 4', code: '431857002', since: '2020' },
    ],
    allergies: [{ text: 'Codeine', reaction: 'Confusion and vomiting' }],
    medication: [],
  },
  {
    nhsNumber: '9990000050', fhirId: '94c6e2d7-3f18-4d8b-a5b0-6e7c1f2a9d05',
    title: 'Mrs', given: 'Margaret', family: 'Ashworth-Holroyd', birthDate: '1938-03-14', gender: 'female',
    address: { line: '2 Weavers Row', city: 'Northbank', postcode: 'NB1 2AF' }, phone: '020 7946 0050',
    supersededBy: '9990000018', plan: false,
    problems: [
      { text: 'Chronic obstructive pulmonary disease', code: '13645005', since: '2011' },
    ],
    allergies: [{ text: 'Penicillin', code: '91936005', reaction: 'Widespread itchy rash' }],
    medication: [],
  },
  {
    nhsNumber: '9990000069', fhirId: '6b2e9f05-c7d1-4386-8e4a-1f0d5a9c7b06', ehrId: '73d0b5c8-1e9a-4267-b3f4-8a6c2e15d906',
    title: 'Mr', given: 'Winston Delroy', family: 'Campbell', birthDate: '1946-08-05', gpBirthDate: '1946-05-08', gender: 'male',
    address: { line: '51 Maroon Street', city: 'Northbank', postcode: 'NB4 6TE' }, phone: '020 7946 0069',
    plan: true,
    problems: [
      { text: 'Carcinoma of prostate with bone metastases', since: '2022' },
      { text: 'Type 2 diabetes mellitus', code: '44054006', since: '2009' },
    ],
    allergies: [],
    medication: [
      'Enzalutamide 40 mg tablets, four a day',
      'Metformin 500 mg tablets, one twice a day',
      'Oxycodone modified-release 10 mg tablets, one twice a day',
    ],
  },
  {
    nhsNumber: '9990000077', fhirId: 'f35a8c1b-4e97-4b2d-9c60-8d2f7e1a5c07', ehrId: '0f7e4a91-b26c-4d85-9e13-5c8d1a72f607',
    title: 'Mrs', given: 'Harbhajan Kaur', family: 'Sandhu', birthDate: '1943-04-27', gender: 'female',
    address: { line: '29 Gurdwara Lane', city: 'Northbank', postcode: 'NB6 3SW' }, phone: '020 7946 0077',
    plan: true,
    problems: [
      { text: 'Alzheimer disease', code: '26929004', since: '2018' },
      { text: 'Osteoporosis', code: '64859006', since: '2014' },
      { text: 'Moderate frailty', code: '925831000000107', since: '2023' },
    ],
    allergies: [{ text: 'Haloperidol', reaction: 'Marked stiffness and drowsiness' }],
    medication: [
      'Memantine 20 mg tablets, one a day',
      'Alendronic acid 70 mg tablets, one a week',
      'Colecalciferol 800 unit capsules, one a day',
    ],
  },
  {
    nhsNumber: '9990000085', fhirId: '2e7d6a48-9b13-4f5c-8a07-5c4e9d3b1f08', ehrId: 'd9613f28-7ac5-4e0b-86d2-1b9f4c3e7a08',
    title: 'Mr', given: 'David Owen', family: 'Llewellyn', birthDate: '1958-12-09', gender: 'male',
    address: { line: '7 Colliers Yard', city: 'Northbank', postcode: 'NB2 1PG' }, phone: '020 7946 0085',
    plan: false,
    problems: [
      { text: 'Chronic obstructive pulmonary disease', code: '13645005', since: '2016' },
      { text: 'Essential hypertension', code: '59621000', since: '2012' },
    ],
    allergies: [],
    medication: [
      'Amlodipine 5 mg tablets, one a day',
      'Salbutamol 100 microgram inhaler, two puffs when needed',
    ],
  },
  {
    nhsNumber: '9990000093', fhirId: 'b80f3d5e-62a9-4c14-b5d8-0a7e4c9f2b09', ehrId: '5a28c7d6-e40f-4913-a7b5-9d3e6f10c809',
    title: 'Miss', given: 'Abigail Oluwaseun', family: 'Adebayo', birthDate: '1998-06-30', gender: 'female',
    address: { line: 'Flat 22, Meridian Point', city: 'Northbank', postcode: 'NB1 8ZX' }, phone: '07700 900093',
    plan: true,
    problems: [
      { text: 'Sickle cell disease (HbSS)', code: '127040003', since: '1998' },
      { text: 'Acute chest syndrome, two admissions', since: '2024' },
    ],
    allergies: [{ text: 'Diclofenac', reaction: 'Swelling of the lips' }],
    medication: [
      'Hydroxycarbamide 500 mg capsules, two a day',
      'Phenoxymethylpenicillin 250 mg tablets, one twice a day',
      'Folic acid 5 mg tablets, one a day',
    ],
  },
  {
    nhsNumber: '9990000107', fhirId: '3c94e7f2-d580-4a6b-9f31-6b8d2e5a7c10', ehrId: '81e5b3f0-49d7-4c2a-b86e-7f0a9d24c110',
    title: 'Mr', given: 'Stanisław Jan', family: 'Kowalczyk', birthDate: '1949-02-11', gender: 'male',
    address: { line: '118 Priory Road', city: 'Northbank', postcode: 'NB7 5JN' }, phone: '020 7946 0107',
    plan: true,
    problems: [
      { text: 'Motor neurone disease', code: '37340000', since: '2024' },
      { text: 'Percutaneous endoscopic gastrostomy in place', since: '2025' },
    ],
    allergies: [{ text: 'Latex', code: '300916003', reaction: 'Contact dermatitis' }],
    medication: [
      'Riluzole 5 mg/mL suspension, 10 mL twice a day by PEG',
      'Hyoscine hydrobromide 1 mg/72 hour patches, one every three days',
    ],
  },
  {
    nhsNumber: '9990000115', fhirId: 'a16d5b8c-07e4-4f93-8b2a-9e3c7d1f4a11', ehrId: 'c03a7f5d-8e21-4b96-9d74-2e6b8c19f511',
    title: 'Mrs', given: 'Siobhán Mary', family: "O'Connor", birthDate: '1952-10-03', gender: 'female',
    address: { line: '9 Harbour View', city: 'Northbank', postcode: 'NB8 2LM' }, phone: '020 7946 0115',
    plan: true,
    problems: [
      { text: 'Metastatic carcinoma of breast', since: '2021' },
      { text: 'Recurrent pleural effusion', since: '2026' },
    ],
    allergies: [{ text: 'Metoclopramide', reaction: 'Acute dystonia' }],
    medication: [
      'Morphine sulfate modified-release 30 mg tablets, one twice a day',
      'Dexamethasone 4 mg tablets, one each morning',
      'Omeprazole 20 mg capsules, one a day',
    ],
  },
  {
    nhsNumber: '9990000123', fhirId: '7f2b0e96-8c45-4d1a-a3e7-4d6f9b8c5e12',
    title: 'Mr', given: 'Jeremy Peter', family: 'Thornton-Hughes', birthDate: '1966-05-17', gender: 'male',
    address: { line: 'The Old Forge, Mill Lane', city: 'Northbank', postcode: 'NB9 4CK' }, phone: '020 7946 0123',
    plan: false,
    problems: [
      { text: 'Type 2 diabetes mellitus', code: '44054006', since: '2015' },
      { text: 'Osteoarthritis of knee', code: '239873007', since: '2021' },
    ],
    allergies: [],
    medication: [
      'Metformin modified-release 1 g tablets, one a day',
      'Atorvastatin 20 mg tablets, one a day',
    ],
  },
]
