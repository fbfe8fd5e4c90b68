/** Why something that a client sent is not taken. */
export class SubmissionError extends Error {
  override readonly name = 'SubmissionError';
  readonly kind: 'malformed' | 'late' | 'uninvited' | 'duplicate';

  constructor(kind: SubmissionError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
