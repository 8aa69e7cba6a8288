/**
 * A fault of a whole upload: it ends the job with a report that says so, and is not retried.
 */

export const faultCodes = [
  'empty_file',
  'header_only',
  'file_too_large',
  'not_text',
  'damaged_gzip',
  'undecodable',
  'no_email_column',
  'ambiguous_column',
  'unknown_mapping',
  'bad_mapping',
  'unknown_default_role',
  'unknown_default_organization',
  'key_refused',
  'key_forbidden',
  'api_request_refused',
  'api_unreachable',
  'upload_replaced',
  'cancelled',
  'roster_missing',
  'roster_stale',
  'roster_busy',
  'roster_late',
] as const;

export type FaultCode = (typeof faultCodes)[number];

export interface Fault {
  readonly code: FaultCode;
  /** What was found, what was expected, what to do next. */
  readonly message: string;
}

/** Codes after which the same file, uploaded again unchanged, could do better. */
const curable: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'key_refused',
  'key_forbidden',
  'api_request_refused',
  'api_unreachable',
  'unknown_default_role',
  'unknown_default_organization',
  'cancelled',
]);

export function isCurable(code: FaultCode): boolean {
  return curable.has(code);
}

/** Thrown while an upload is read or judged, when no row of it can be handled. */
export class WholeFileFault extends Error {
  readonly fault: Fault;

  constructor(code: FaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WholeFileFault';
    this.fault = { code, message };
  }
}

/** Thrown when something that this code relies on does not hold. It is never handled, only reported. */
export class BrokenInvariant extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BrokenInvariant';
  }
}
