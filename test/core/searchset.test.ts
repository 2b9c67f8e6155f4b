import { describe, expect, it } from '@jest/globals'
import { readSearchset } from '../../src/core/searchset.js'

const invalid = expect.objectContaining({
  name: 'Refusal',
  code: 'upstream_invalid',
}) as unknown as Error

const searchset = (more: object = {}) => ({ resourceType: 'Bundle', type: 'searchset', ...more })
const match = { resource: { resourceType: 'CarePlan' }, search: { mode: 'match' } }
const outcome = (...issue: readonly unknown[]) => ({
  resource: { resourceType: 'OperationOutcome', issue },
  search: { mode: 'outcome' },
})
const issue = (severity: string, code = 'informational') => ({ severity, code })

describe('the answer to a FHIR search (FHIR R4, "Search", "Bundle")', () => {
  it('is read when it is whole, empty or not', () => {
    expect(readSearchset(searchset())).toEqual({ entries: [], links: [] })
    expect(readSearchset(searchset({ total: 0, entry: [] })).entries).toEqual([])
    expect(readSearchset(searchset({ total: 1, entry: [match] })).entries).toEqual([match])
    // A total below what was given hides nothing.
    expect(readSearchset(searchset({ total: 0, entry: [match] })).entries).toEqual([match])
  })

  it('gives what the server remarks beside its matches no place among them', () => {
    const remark = outcome(issue('information'), issue('warning'))
    const read = readSearchset(searchset({ total: 1, entry: [remark, match] }))
    expect(read.entries).toEqual([match])
  })

  it.each([
    ['an error among its entries', outcome(issue('error', 'timeout'))],
    ['a fatal error', outcome(issue('fatal', 'exception'))],
    ['an error after a remark', outcome(issue('information'), issue('error'))],
    ['a warning that sources did not answer', outcome(issue('warning', 'incomplete'))],
    ['a warning of a timeout', outcome(issue('warning', 'timeout'))],
    ['an outcome without issues', { ...outcome(), resource: { resourceType: 'OperationOutcome' } }],
    ['an outcome whose issue cannot be read', outcome('timeout')],
    ['a match that is called an outcome', { ...match, search: { mode: 'outcome' } }],
    ['an outcome without a resource', { search: { mode: 'outcome' } }],
  ])('is not taken for an empty one with %s', (_, entry) => {
    expect(() => readSearchset(searchset({ entry: [entry] }))).toThrow(invalid)
    expect(() => readSearchset(searchset({ entry: [match, entry] }))).toThrow(invalid)
  })

  it.each([
    ['entries that are an object', { entry: { 0: match } }],
    ['entries that are null', { entry: null }],
    ['links that are an object', { link: { relation: 'next', url: 'x' } }],
    ['links that are null', { link: null }],
    ['a link that is a text', { link: ['next'] }],
    ['a next link without an address', { link: [{ relation: 'next' }] }],
    ['a next link with an address that is no text', { link: [{ relation: 'next', url: {} }] }],
    ['a total above its entries', { total: 1 }],
    ['a total above its matches', { total: 2, entry: [match] }],
    ['a total that its includes make up', { total: 1, entry: [{ search: { mode: 'include' } }] }],
    ['a total that is a text', { total: '1', entry: [match] }],
    ['another type', { type: 'collection' }],
    ['another resource', { resourceType: 'OperationOutcome' }],
  ])('is not believed with %s', (_, more) => {
    expect(() => readSearchset(searchset(more))).toThrow(invalid)
  })

  it('may hold fewer than its total where more can be had', () => {
    const next = [{ relation: 'next', url: 'https://record.example/x' }]
    const first = searchset({ total: 9, entry: [match], link: next })
    expect(readSearchset(first).links).toEqual(next)
  })

  it('is the last page only where its matches and those that were passed over make up the total', () => {
    const page = searchset({ total: 9, entry: [match] })
    expect(readSearchset(page, 8).entries).toEqual([match])
    expect(readSearchset(searchset({ total: 9 }), 12).entries).toEqual([])
    // No way on, though there is more: whoever follows the pages would take it for the end.
    expect(() => readSearchset(page, 7)).toThrow(invalid)
    expect(() => readSearchset(page)).toThrow(invalid)
  })

  it('may count what came along in the total of a page that begins at a number, and of no other', () => {
    const page = searchset({ total: 10, entry: [match, { search: { mode: 'include' } }] })
    expect(readSearchset(page, 8).entries).toHaveLength(2)
    expect(() => readSearchset(page, 7)).toThrow(invalid)
    const first = searchset({ total: 2, entry: [match, { search: { mode: 'include' } }] })
    expect(readSearchset(first, 0).entries).toHaveLength(2)
    expect(() => readSearchset(first)).toThrow(invalid)
  })
})
