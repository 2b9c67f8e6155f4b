import type { BirthDate, NhsNumber } from './context.js'

const WEIGHTS = [10, 9, 8, 7, 6, 5, 4, 3, 2]

/**
 * Reads an NHS number as people write it: ten digits, spaces and hyphens between them allowed.
 * `undefined` for a wrong check digit (modulus 11) and for the ten repdigits, which pass it.
 * @see NHS Data Dictionary, NHS NUMBER
 */
export function readNhsNumber(text: unknown): NhsNumber | undefined {
  if (typeof text !== 'string' || text.length > 20) return undefined
  const digits = text.replace(/[\s-]/g, '')
  if (!/^\d{10}$/.test(digits) || /^(\d)\1{9}$/.test(digits)) return undefined
  const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(digits[i]), 0)
  const check = (11 - (sum % 11)) % 11
  return check === Number(digits[9]) ? (digits as NhsNumber) : undefined
}

/** `YYYY-MM-DD`, a day that exists; `undefined` for anything else. */
export function readBirthDate(text: unknown): BirthDate | undefined {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
    ? (text as BirthDate)
    : undefined
}

/** What says of an identifier that it is an NHS number, by address or by OID, in whatever record. */
const SYSTEM = /\/nhs-number\/*$|^urn:oid:2\.16\.840\.1\.113883\.2\.1\.4\.1$/i

/** Some servers (HAPI) leave spaces around it out. */
export const isNhsNumberSystem = (system: string): boolean => SYSTEM.test(system.trim())
