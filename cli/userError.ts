/**
 * Something that the person at the terminal can mend. Its message says what was found, what was expected and what to do.
 */
export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
  }
}
