import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Draft, keptUntil, type Person } from '../../src/core/draft.js'
import {
  abandonDraft,
  approveDraft,
  closeReview,
  declineDraft,
  editDraft,
  openDraft,
  proposeDraft,
  publishDraft,
  publishEmergency,
  shadowDraft,
} from '../../src/core/draft-steps.js'
import type { RefusalCode } from '../../src/core/refusal.js'

const NOW = Date.UTC(2026, 0, 5, 9)
const DAY = 86_400_000
const author: Person = { uid: '555000000001', name: 'Ann Author' }
const approver: Person = { uid: '555000000002', name: 'Per Approver' }
const other: Person = { uid: '555000000003', name: 'Oda Other' }
const base = { version: 3, hash: 'hash-of-3' }

const opened = (over: Partial<Parameters<typeof openDraft>[0]> = {}): Draft =>
  openDraft(
    { id: 'dft_1', by: author, layer: 'central', title: 'Nurses write', ticket: '', base, ...over },
    NOW,
  )
const edited = (draft = opened(), by = author, hash = 'hash-a'): Draft =>
  editDraft(draft, { by, hash, generation: draft.generation }, NOW)
const proposed = (draft = edited(), by = author): Draft =>
  proposeDraft(draft, { by, reason: 'They need to.', ticket: 'CHG-1', hash: draft.hash }, NOW)
const approved = (draft = proposed(), by = approver): Draft =>
  approveDraft(draft, { by, hash: draft.hash }, NOW)
const publish = (draft: Draft, over: Partial<Parameters<typeof publishDraft>[1]> = {}, now = NOW) =>
  publishDraft(draft, { by: author, hash: draft.hash, inForce: 3, ...over }, now)
const emergency = (draft: Draft, by = author) =>
  publishEmergency(draft, { by, hash: draft.hash, inForce: 3, reason: 'A breach.' }, NOW)

const refuses = (act: () => unknown, code: RefusalCode) =>
  expect(act).toThrow(expect.objectContaining({ name: 'Refusal', code }))

describe('a draft', () => {
  it('goes from opened to published, with who, why and what at each step', () => {
    const draft = publish(approved())
    expect(draft).toMatchObject({
      ...{ stage: 'published', generation: 5, title: 'Nurses write', ticket: 'CHG-1' },
      authors: [author],
      approval: { by: approver, hash: 'hash-a' },
      publication: { by: author, version: 4, hash: 'hash-a', emergency: false },
    })
  })

  it('is opened by somebody who is known, with a title', () => {
    refuses(() => opened({ by: { uid: '', name: 'Ann Author' } }), 'person_unproven')
    refuses(() => opened({ by: { uid: '5550 1', name: 'x' } }), 'person_unproven')
    refuses(() => opened({ title: ' \u200b ' }), 'draft_invalid')
    refuses(() => opened({ title: 'x'.repeat(201) }), 'draft_invalid')
    expect(opened({ title: 'x'.repeat(200) }).title).toHaveLength(200)
    expect(opened({ title: 'A\u202eB\u0000\n C' }).title).toBe('AB C')
    refuses(() => opened({ ticket: 'x'.repeat(101) }), 'draft_invalid')
  })

  it('is proposed with a reason and a ticket, once it changes something', () => {
    const say = { by: author, reason: 'Why.', ticket: 'CHG-1', hash: 'hash-a' }
    refuses(() => proposeDraft(opened(), { ...say, hash: base.hash }, NOW), 'draft_unchanged')
    refuses(() => proposeDraft(edited(), { ...say, hash: 'hash-b' }, NOW), 'draft_other_hash')
    refuses(() => proposeDraft(edited(), { ...say, reason: '' }, NOW), 'draft_invalid')
    refuses(
      () => proposeDraft(edited(), { ...say, reason: 'x'.repeat(2001) }, NOW),
      'draft_invalid',
    )
    refuses(() => proposeDraft(edited(), { ...say, ticket: '' }, NOW), 'draft_invalid')
    const ticketed = edited(opened({ ticket: 'CHG-9' }))
    expect(proposeDraft(ticketed, { ...say, ticket: '' }, NOW).proposal.ticket).toBe('CHG-9')
  })

  it('is approved by a person who neither opened, edited nor proposed it', () => {
    for (const by of [author, { ...author, name: 'Another Login' }])
      refuses(() => approved(proposed(), by), 'draft_own')
    const byMany = proposed(edited(edited(), other, 'hash-b'), approver)
    for (const by of [author, other, approver]) refuses(() => approved(byMany, by), 'draft_own')
    const lettered = proposed(edited(opened({ by: { uid: 'AbC', name: 'A' } })))
    refuses(() => approved(lettered, { uid: 'aBc', name: 'B' }), 'draft_own')
    refuses(() => approved(proposed(), { uid: '', name: 'Nobody' }), 'person_unproven')
  })

  it('is approved as it was seen, when it was proposed, and not twice', () => {
    const say = { by: approver, hash: 'hash-b' }
    refuses(() => approveDraft(proposed(), say, NOW), 'draft_other_hash')
    refuses(() => approveDraft(edited(), { by: approver, hash: 'hash-a' }, NOW), 'draft_stage')
    refuses(() => approved(approved(), other), 'draft_stage')
  })

  it('is approved for seven days, and may then be approved again', () => {
    expect(publish(approved(), {}, NOW + 7 * DAY - 1).stage).toBe('published')
    refuses(() => publish(approved(), {}, NOW + 7 * DAY), 'approval_expired')
    const again = approveDraft(approved(), { by: other, hash: 'hash-a' }, NOW + 7 * DAY)
    expect(publish(again, {}, NOW + 7 * DAY).approval?.by).toEqual(other)
  })

  it('loses proposal and approval by any edit, even one that puts the same files', () => {
    const again = editDraft(approved(), { by: author, hash: 'hash-a', generation: 4 }, NOW)
    expect(again.stage).toBe('open')
    expect(Object.keys(again)).not.toEqual(expect.arrayContaining(['approval']))
    refuses(() => publish(again), 'draft_stage')
  })

  it('is not edited by an editor who did not see the last step', () => {
    const edit = { by: author, hash: 'hash-b', generation: 1 }
    refuses(() => editDraft(edited(), edit, NOW), 'draft_changed')
  })

  it('is not published past a version that it is not built on, until it is brought up to it', () => {
    refuses(() => publish(approved(), { inForce: 4 }), 'draft_outdated')
    const now4 = { version: 4, hash: 'hash-of-4' }
    const edit = { by: author, hash: 'hash-b', generation: 4, base: now4 }
    const rebased = editDraft(approved(), edit, NOW)
    expect(rebased).toMatchObject({ stage: 'open', base: now4 })
    expect(publish(approved(proposed(rebased)), { inForce: 4 }).publication.version).toBe(5)
  })

  it('is published as it was seen by who publishes', () => {
    refuses(() => publish(approved(), { hash: 'hash-b' }), 'draft_other_hash')
    refuses(() => publish(approved(), { by: { uid: '', name: '' } }), 'person_unproven')
    for (const draft of [opened(), edited(), proposed(), publish(approved())])
      refuses(() => publish(draft), 'draft_stage')
  })

  it('goes into force by one person in an emergency, and is reviewed by another', () => {
    const draft = emergency(edited(edited(), other, 'hash-b'))
    expect(draft.publication).toMatchObject({ emergency: true, review: 'open', by: author })
    expect(draft.approval).toBeUndefined()
    expect(keptUntil(draft)).toBeGreaterThan(NOW + 1000 * 365 * DAY)
    const say = { reason: 'It was right.' }
    refuses(() => closeReview(draft, { ...say, by: author }, NOW), 'draft_own')
    refuses(() => closeReview(draft, { ...say, by: other }, NOW), 'draft_own')
    refuses(() => closeReview(draft, { by: approver, reason: '' }, NOW), 'draft_invalid')
    const closed = closeReview(draft, { ...say, by: approver }, NOW + DAY)
    expect(closed.publication.review).toMatchObject({ by: approver, reason: 'It was right.' })
    expect(keptUntil(closed)).toBe(NOW + 91 * DAY)
    refuses(() => closeReview(closed, { ...say, by: approver }, NOW), 'draft_stage')
    refuses(() => closeReview(publish(approved()), { ...say, by: other }, NOW), 'draft_stage')
    refuses(() => emergency(opened()), 'draft_unchanged')
  })

  it('is given back by whoever declines it, and abandoned for good', () => {
    const back = declineDraft(approved(), { by: approver, reason: 'Too wide.' }, NOW)
    expect(back).toMatchObject({ stage: 'open', declined: { reason: 'Too wide.' } })
    expect(edited(back)).not.toHaveProperty('declined')
    const gone = abandonDraft(back, { by: author, reason: 'Not needed.' }, NOW)
    expect(gone.stage).toBe('abandoned')
    for (const act of [() => edited(gone), () => proposed(gone), () => emergency(gone)])
      refuses(act, 'draft_stage')
  })

  it('may be in shadow without a change of what it is, until its end', () => {
    const shadowed = shadowDraft(approved(), { by: other, on: true }, NOW)
    expect(shadowed).toMatchObject({ stage: 'approved', shadow: true, authors: [author] })
    expect(edited(shadowed).shadow).toBe(true)
    expect(publish(shadowed)).not.toHaveProperty('shadow')
    expect(shadowDraft(shadowed, { by: other, on: false }, NOW)).not.toHaveProperty('shadow')
  })
})

describe('whatever is tried in whatever order', () => {
  const person = fc.constantFrom(author, approver, approver, other, { uid: '', name: 'Nobody' })
  const hash = fc.constantFrom('hash-a', 'hash-b', 'hash-c')
  const later = fc.constantFrom(0, 0, 0, 0, DAY, 6 * DAY, 8 * DAY)
  const step = fc.record({
    act: fc.constantFrom(
      ...['edit', 'propose', 'propose', 'approve', 'approve', 'publish', 'publish', 'decline'],
    ),
    ...{
      by: person,
      hash,
      later,
      inForce: fc.constantFrom(3, 3, 3, 3, 4),
      truly: fc.constantFrom(true, true, true, false),
    },
  })
  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

  const take = (
    draft: Draft,
    { act, by, hash: named, inForce, truly }: Step,
    now: number,
  ): Draft => {
    const hash = truly ? draft.hash : named
    const reason = 'Because.'
    switch (act) {
      case 'edit':
        return editDraft(draft, { by, hash: named, generation: draft.generation }, now)
      case 'propose':
        return proposeDraft(draft, { by, hash, reason, ticket: 'CHG-1' }, now)
      case 'approve':
        return approveDraft(draft, { by, hash }, now)
      case 'publish':
        return publishDraft(draft, { by, hash, inForce }, now)
      default:
        return declineDraft(draft, { by, reason }, now)
    }
  }

  it('nothing is published but what another person approved, exactly and lately', () => {
    let published = 0
    const steps = fc.array(step, { minLength: 8, maxLength: 40 })
    const check = (tried: readonly Step[]) => {
      let draft = opened()
      let now = NOW
      const wrote = new Set([author.uid])
      const approvals: { hash: string; uid: string; at: number }[] = []
      for (const one of tried) {
        now += one.later
        try {
          draft = take(draft, one, now)
        } catch {
          continue
        }
        if (one.act === 'edit' || one.act === 'propose') wrote.add(one.by.uid)
        if (one.act === 'edit' || one.act === 'decline') approvals.length = 0
        if (one.act === 'approve') approvals.push({ hash: draft.hash, uid: one.by.uid, at: now })
      }
      if (draft.stage !== 'published') return
      published++
      const { hash, version, at } = draft.publication
      expect(version).toBe(4)
      const held = approvals.some(
        (approval) =>
          approval.hash === hash && !wrote.has(approval.uid) && at - approval.at < 7 * DAY,
      )
      expect(held).toBe(true)
    }
    fc.assert(fc.property(steps, check), { numRuns: 3000 })
    expect(published).toBeGreaterThan(10)
  })
})
