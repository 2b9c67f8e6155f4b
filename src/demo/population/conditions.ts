/**
 * Illnesses as a practice codes them, and what is taken for them. Doses are such as stand in any formulary; nothing here is
 * medical advice.
 */

export interface Condition {
  readonly text: string
  /** SNOMED CT, where there is one. */
  readonly code?: string
  /** The least age at which it begins. */
  readonly least: number
  /** How many years ago it began. */
  readonly ago: readonly [least: number, most: number]
  /** Each is taken; of those between bars one. */
  readonly medicines: readonly string[]
}

const PAIN = 'Paracetamol 500 mg tablets, two up to four times a day'
const STRONG =
  'Morphine sulfate modified-release 20 mg tablets, one twice a day|Oxycodone modified-release 10 mg tablets, one twice a day'
const BOWELS = 'Macrogol compound oral powder, one sachet a day|Senna 7.5 mg tablets, two at night'
const BETA = 'Bisoprolol 2.5 mg tablets, one each morning'
const STATIN = 'Atorvastatin 20 mg tablets, one a day|Atorvastatin 40 mg tablets, one a day'
const PLATELETS =
  'Clopidogrel 75 mg tablets, one a day|Aspirin 75 mg dispersible tablets, one a day'
const STOMACH = 'Omeprazole 20 mg capsules, one a day|Lansoprazole 15 mg capsules, one a day'

// biome-ignore format: a table
export const CONDITIONS = {
  'heart-failure': { text: 'Heart failure with reduced ejection fraction', code: '703272007', least: 45, ago: [2, 9], medicines: [BETA, 'Furosemide 40 mg tablets, one each morning|Bumetanide 1 mg tablets, one each morning', 'Ramipril 2.5 mg capsules, one a day|Candesartan 4 mg tablets, one a day', 'Dapagliflozin 10 mg tablets, one a day'] },
  'fibrillation':  { text: 'Atrial fibrillation', code: '49436004', least: 50, ago: [1, 12], medicines: ['Apixaban 2.5 mg tablets, one twice a day|Edoxaban 30 mg tablets, one a day', BETA] },
  'ischaemia':     { text: 'Ischaemic heart disease', code: '414545008', least: 42, ago: [2, 18], medicines: [PLATELETS, STATIN, BETA, 'Glyceryl trinitrate 400 microgram spray, one or two puffs when needed'] },
  'infarction':    { text: 'Myocardial infarction', code: '22298006', least: 42, ago: [2, 20], medicines: [PLATELETS, STATIN, BETA] },
  'hypertension':  { text: 'Essential hypertension', code: '59621000', least: 32, ago: [2, 25], medicines: ['Amlodipine 5 mg tablets, one a day|Losartan 50 mg tablets, one a day|Indapamide 2.5 mg tablets, one each morning'] },
  'copd':          { text: 'Chronic obstructive pulmonary disease', code: '13645005', least: 42, ago: [3, 16], medicines: ['Tiotropium 18 microgram inhalation capsules, one a day|Umeclidinium with vilanterol 55/22 inhaler, one puff a day', 'Salbutamol 100 microgram inhaler, two puffs when needed', 'Carbocisteine 375 mg capsules, two twice a day'] },
  'asthma':        { text: 'Asthma', code: '195967001', least: 4, ago: [4, 30], medicines: ['Budesonide with formoterol 200/6 inhaler, one puff twice a day and when needed|Beclometasone 100 microgram inhaler, two puffs twice a day'] },
  'fibrosis':      { text: 'Idiopathic pulmonary fibrosis', code: '700250006', least: 55, ago: [1, 4], medicines: ['Nintedanib 150 mg capsules, one twice a day', 'Oral morphine solution 10 mg/5 mL, 1 mL when needed'] },
  'diabetes':      { text: 'Type 2 diabetes mellitus', code: '44054006', least: 30, ago: [2, 22], medicines: ['Metformin 500 mg tablets, one twice a day|Gliclazide 40 mg tablets, one a day'] },
  'kidney-3':      { text: 'Chronic kidney disease stage 3', code: '433144002', least: 50, ago: [2, 10], medicines: [] },
  'kidney-4':      { text: 'Chronic kidney disease stage 4', code: '431857002', least: 50, ago: [1, 6], medicines: ['Sodium bicarbonate 500 mg capsules, one twice a day', 'Alfacalcidol 250 nanogram capsules, one a day'] },
  'kidney-5':      { text: 'Chronic kidney disease stage 5', code: '433146000', least: 45, ago: [1, 4], medicines: ['Sodium bicarbonate 500 mg capsules, two twice a day', 'Furosemide 80 mg tablets, one each morning', 'Darbepoetin alfa 30 microgram injection, once a fortnight'] },
  'alzheimer':     { text: 'Alzheimer disease', code: '26929004', least: 62, ago: [2, 8], medicines: ['Memantine 20 mg tablets, one a day|Donepezil 10 mg tablets, one at night'] },
  'vascular':      { text: 'Vascular dementia', code: '429998004', least: 62, ago: [2, 8], medicines: [PLATELETS, STATIN] },
  'lewy':          { text: 'Dementia with Lewy bodies', code: '80098002', least: 62, ago: [2, 6], medicines: ['Rivastigmine 3 mg capsules, one twice a day|Donepezil 10 mg tablets, one at night'] },
  'parkinson':     { text: 'Parkinson disease', code: '49049000', least: 52, ago: [3, 14], medicines: ['Co-careldopa 25/100 tablets, one four times a day|Co-beneldopa 25/100 capsules, one four times a day', BOWELS] },
  'motor-neurone': { text: 'Motor neurone disease', code: '37340000', least: 42, ago: [1, 3], medicines: ['Riluzole 50 mg tablets, one twice a day', 'Hyoscine hydrobromide 1 mg/72 hour patches, one every three days'] },
  'sclerosis':     { text: 'Multiple sclerosis', code: '24700007', least: 24, ago: [12, 24], medicines: ['Baclofen 10 mg tablets, one three times a day', BOWELS] },
  'stroke':        { text: 'Stroke', code: '230690007', least: 50, ago: [1, 8], medicines: [PLATELETS, STATIN] },
  'liver':         { text: 'Cirrhosis of liver', code: '19943007', least: 36, ago: [2, 7], medicines: ['Spironolactone 100 mg tablets, one each morning', 'Lactulose solution, 20 mL twice a day', 'Rifaximin 550 mg tablets, one twice a day'] },
  'lung':          { text: 'Primary malignant neoplasm of lung', code: '93880001', least: 46, ago: [1, 2], medicines: [STRONG, BOWELS, 'Dexamethasone 4 mg tablets, one each morning', STOMACH] },
  'pancreas':      { text: 'Malignant neoplasm of pancreas', code: '363418001', least: 46, ago: [1, 1], medicines: [STRONG, BOWELS, 'Pancreatin 25,000 unit capsules, two with each meal'] },
  'bowel':         { text: 'Malignant neoplasm of colon', code: '363406005', least: 42, ago: [1, 5], medicines: ['Loperamide 2 mg capsules, one when needed', PAIN] },
  'bowel-spread':  { text: 'Carcinoma of colon with liver metastases', least: 42, ago: [1, 4], medicines: [STRONG, BOWELS, 'Dexamethasone 4 mg tablets, one each morning', STOMACH] },
  'breast':        { text: 'Malignant neoplasm of breast', code: '254837009', least: 38, ago: [1, 6], medicines: ['Letrozole 2.5 mg tablets, one a day', 'Colecalciferol 800 unit capsules, one a day'] },
  'breast-spread': { text: 'Metastatic carcinoma of breast', least: 38, ago: [1, 5], medicines: [STRONG, BOWELS, STOMACH] },
  'prostate':      { text: 'Malignant neoplasm of prostate', code: '399068003', least: 54, ago: [1, 9], medicines: ['Goserelin 10.8 mg implant, every twelve weeks'] },
  'prostate-bone': { text: 'Carcinoma of prostate with bone metastases', least: 54, ago: [1, 6], medicines: ['Goserelin 10.8 mg implant, every twelve weeks', STRONG, BOWELS] },
  'ovary':         { text: 'Metastatic carcinoma of ovary', least: 42, ago: [1, 3], medicines: [STRONG, BOWELS, 'Cyclizine 50 mg tablets, one up to three times a day'] },
  'oesophagus':    { text: 'Carcinoma of oesophagus, stented', least: 52, ago: [1, 2], medicines: ['Oral morphine solution 10 mg/5 mL, 2.5 mL when needed', STOMACH] },
  'myeloma':       { text: 'Multiple myeloma', code: '109989006', least: 52, ago: [1, 6], medicines: ['Aciclovir 400 mg tablets, one twice a day', PAIN] },
  'sickle-ss':     { text: 'Sickle cell disease (HbSS)', code: '127040003', least: 0, ago: [0, 0], medicines: ['Hydroxycarbamide 500 mg capsules, two a day', 'Folic acid 5 mg tablets, one a day', 'Phenoxymethylpenicillin 250 mg tablets, one twice a day|Erythromycin 250 mg tablets, one twice a day'] },
  'sickle-sc':     { text: 'Sickle cell disease (HbSC)', code: '35434009', least: 0, ago: [0, 0], medicines: ['Folic acid 5 mg tablets, one a day', 'Phenoxymethylpenicillin 250 mg tablets, one twice a day|Erythromycin 250 mg tablets, one twice a day'] },
  'down':          { text: 'Down syndrome', code: '41040004', least: 0, ago: [0, 0], medicines: [] },
  'palsy':         { text: 'Cerebral palsy', code: '128188000', least: 0, ago: [0, 0], medicines: ['Baclofen 10 mg tablets, one three times a day'] },
  'epilepsy':      { text: 'Epilepsy', code: '84757009', least: 3, ago: [6, 25], medicines: ['Levetiracetam 500 mg tablets, one twice a day|Lamotrigine 100 mg tablets, one twice a day'] },
  'osteoporosis':  { text: 'Osteoporosis', code: '64859006', least: 58, ago: [2, 14], medicines: ['Alendronic acid 70 mg tablets, one a week', 'Colecalciferol 800 unit capsules, one a day'] },
  'arthritis':     { text: 'Osteoarthritis', code: '396275006', least: 48, ago: [3, 20], medicines: [PAIN] },
  'rheumatoid':    { text: 'Rheumatoid arthritis', code: '69896004', least: 32, ago: [4, 20], medicines: ['Methotrexate 2.5 mg tablets, six once a week', 'Folic acid 5 mg tablets, one a week'] },
  'thyroid':       { text: 'Hypothyroidism', code: '40930008', least: 28, ago: [3, 25], medicines: ['Levothyroxine 75 microgram tablets, one each morning'] },
  'depression':    { text: 'Depressive disorder', code: '35489007', least: 18, ago: [1, 14], medicines: ['Sertraline 50 mg tablets, one a day|Mirtazapine 15 mg tablets, one at night'] },
  'frail-moderate': { text: 'Moderate frailty', code: '925831000000107', least: 66, ago: [1, 3], medicines: [] },
  'frail-severe':  { text: 'Severe frailty', code: '925861000000102', least: 68, ago: [1, 3], medicines: [] },
} as const satisfies Readonly<Record<string, Condition>>

export type ConditionId = keyof typeof CONDITIONS

export interface Allergy {
  readonly text: string
  readonly code?: string
  readonly reactions: readonly string[]
  /** What is not given because of it. */
  readonly never: RegExp
}

// biome-ignore format: a table
export const ALLERGIES: readonly Allergy[] = [
  { text: 'Penicillin', code: '91936005', reactions: ['Widespread itchy rash', 'Swelling of the face', 'Anaphylaxis'], never: /penicillin/i },
  { text: 'Trimethoprim', reactions: ['Rash'], never: /trimethoprim/i },
  { text: 'Codeine', reactions: ['Vomiting and confusion', 'Severe itching'], never: /codeine/i },
  { text: 'Ibuprofen', reactions: ['Wheeze', 'Gastric bleeding'], never: /ibuprofen|diclofenac|naproxen/i },
  { text: 'Aspirin', reactions: ['Wheeze', 'Gastric bleeding'], never: /aspirin|ibuprofen|diclofenac|naproxen/i },
  { text: 'Ramipril', reactions: ['Swelling of the lips'], never: /ramipril/i },
  { text: 'Morphine', reactions: ['Hallucinations', 'Severe itching'], never: /morphine/i },
  { text: 'Cyclizine', reactions: ['Agitation'], never: /cyclizine/i },
  { text: 'Haloperidol', reactions: ['Marked stiffness and drowsiness'], never: /haloperidol|levomepromazine/i },
  { text: 'Latex', code: '300916003', reactions: ['Contact dermatitis'], never: /latex/i },
  { text: 'Elastic adhesive dressings', reactions: ['Blistering'], never: /adhesive/i },
]
