/** A query as the published grammar builds it. @see openEHR AQL 1.1, "AQL Syntax Specification", parser grammar */

export interface Parameter {
  readonly kind: 'parameter'
  readonly name: string
}
export interface Literal {
  readonly kind: 'literal'
  readonly value: string | number | boolean | null
  /** A number as it was written. */
  readonly text?: string
}

/** `ehr_id/value`, with what stands in brackets behind each part. */
export interface Step {
  readonly name: string
  readonly predicate?: Predicate
}
export interface Path {
  readonly kind: 'path'
  readonly variable: string
  readonly predicate?: Predicate
  readonly steps: readonly Step[]
}

/** Alternatives, each of conditions that hold together. */
export type Predicate = readonly (readonly NodePredicate[])[]
export type NodePredicate =
  | { readonly kind: 'node'; readonly code: string; readonly name?: Literal | Parameter | string }
  | Parameter
  | {
      readonly kind: 'compare'
      readonly path: readonly Step[]
      readonly operator: string
      readonly operand: Literal | Parameter | { readonly kind: 'code'; readonly code: string }
    }

export interface Call {
  readonly kind: 'call'
  readonly name: string
  readonly operands: readonly Terminal[]
}
export interface Aggregate {
  readonly kind: 'aggregate'
  readonly name: string
}
export type Terminal = Literal | Parameter | Path | Call

export interface Column {
  readonly value: Literal | Path | Call | Aggregate
  readonly alias?: string
}

export interface ClassExpression {
  readonly kind: 'class'
  readonly type: string
  readonly variable?: string
  readonly predicate?: Predicate
  readonly contains?: Contained
}
export interface Contained {
  readonly not: boolean
  readonly what: Containment
}
/** `VERSION …` stands for itself: whatever it says, it is not judged. */
export type Containment =
  | ClassExpression
  | { readonly kind: 'version' }
  | { readonly kind: 'and' | 'or'; readonly all: readonly Containment[] }

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly all: readonly Condition[] }
  | { readonly kind: 'not'; readonly what: Condition }
  | { readonly kind: 'exists'; readonly path: Path }
  | {
      readonly kind: 'compares'
      readonly left: Path | Call
      readonly operator: string
      readonly right: Terminal
    }
  | { readonly kind: 'like'; readonly path: Path; readonly pattern: Literal | Parameter }
  | {
      readonly kind: 'matches'
      readonly path: Path
      readonly values: readonly (Literal | Parameter)[]
    }

export interface Order {
  readonly path: Path
  readonly descending: boolean
}

export interface Query {
  readonly distinct: boolean
  readonly columns: readonly Column[]
  readonly from: Containment
  readonly where?: Condition
  readonly order: readonly Order[]
  readonly limit?: number
  readonly offset?: number
}
