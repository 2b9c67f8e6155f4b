/** Why our keys cannot be used: for the operator, in a line that says what to do. Carries no secret. */
export class KeyFault extends Error {
  override readonly name = 'KeyFault'
}
