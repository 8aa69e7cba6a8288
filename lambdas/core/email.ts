/**
 * What counts as an email address here, and how the spellings of one become the same.
 */
import { uploadLimits } from './limits.ts';
import { rememberLast } from './rememberLast.ts';

export type EmailReading =
  | { readonly kind: 'email'; readonly email: string }
  | { readonly kind: 'blank' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Ordinary, no-break and zero-width blanks, which spreadsheets and web pages leave around addresses. */
const blanksAround = /^[\s\u00a0\u200b-\u200d\u2060\ufeff]+|[\s\u00a0\u200b-\u200d\u2060\ufeff]+$/gu;
/** RFC 5322 `atext`, with the letters of RFC 6531. */
const localPart = /^[\p{L}\p{M}\p{N}!#$%&'*+\-/=?^_`{|}~]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+\-/=?^_`{|}~]+)*$/u;
const isAscii = /^\p{ASCII}*$/u;
const domainLabel = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?$/u;

/**
 * Reads one cell as an email address: blanks around it, `Name <address>` and `mailto:` are taken off, and the domain
 * becomes lower case. The last answer is remembered, because each row is asked several times: of a roster, this saves a seventh
 * of what ingest computes.
 */
export const readEmail = rememberLast(addressIn);

function addressIn(cell: string): EmailReading {
  if (cell.length > uploadLimits.emailCellMax) {
    return { kind: 'refused', reason: `it is longer than ${uploadLimits.emailCellMax} characters` };
  }
  const email = unwrap(cell);
  if (email === '') return { kind: 'blank' };
  const at = email.lastIndexOf('@');
  if (at < 0) return { kind: 'refused', reason: 'there is no @ in it' };
  const local = email.slice(0, at);
  const domain = email.slice(at + 1).toLowerCase();
  const reason = localPartFault(local) ?? domainFaultOf(domain);
  if (reason !== undefined) return { kind: 'refused', reason };
  if (email.length > uploadLimits.emailMax) {
    return { kind: 'refused', reason: `it is longer than ${uploadLimits.emailMax} characters` };
  }
  return { kind: 'email', email: `${local}@${domain}` };
}

/** The same for all spellings of one person's address. The API matches without regard to case too. */
export function emailKey(email: string): string {
  if (isAscii.test(email)) return email.toLowerCase();
  const at = email.lastIndexOf('@');
  return `${email.slice(0, at).normalize('NFC').toLowerCase()}@${domainKey(email.slice(at + 1))}`;
}

/** An internationalised domain has two spellings, `müller.example` and `xn--mller-kva.example`: gives the second one. */
export function domainKey(domain: string): string {
  const lower = domain.toLowerCase();
  if (isAscii.test(lower) || !URL.canParse(`http://${lower}`)) return lower;
  return new URL(`http://${lower}`).hostname;
}

const domainFaultOf = rememberLast(domainFault);

function unwrap(cell: string): string {
  const trimmed = cell.replace(blanksAround, '');
  const inBrackets = /<([^<>]*)>$/u.exec(trimmed)?.[1];
  return (inBrackets ?? trimmed)
    .replace(blanksAround, '')
    .replace(/^mailto:/iu, '')
    .replace(blanksAround, '');
}

function localPartFault(local: string): string | undefined {
  if (local === '') return 'nothing stands before the @';
  if (local.length > uploadLimits.emailLocalPartMax) {
    return `the part before the @ is longer than ${uploadLimits.emailLocalPartMax} characters`;
  }
  if (local.startsWith('"')) return 'quoted names before the @ are not accepted';
  if (/[()]/u.test(local)) return 'comments in brackets are not accepted';
  if (/\s/u.test(local)) return 'there is a blank in it';
  if (local.includes('@')) return 'there is more than one @ in it';
  if (!localPart.test(local)) return 'the part before the @ has a character or a dot that cannot stand there';
  return undefined;
}

function domainFault(domain: string): string | undefined {
  if (domain === '') return 'nothing stands after the @';
  if (domain.startsWith('[')) return 'an address literal is not accepted as a domain';
  const labels = domain.split('.');
  if (labels.length < 2) return 'the domain has no dot';
  for (const label of labels) {
    if (label === '') return 'the domain has an empty part';
    if (label.length > uploadLimits.domainLabelMax || !domainLabel.test(label)) return 'the domain is not a valid one';
  }
  const ending = labels.at(-1) ?? '';
  if (/^\d+$/u.test(ending)) return 'the domain ends in a number';
  if (ending.length < 2) return 'the domain ends in a single letter';
  return undefined;
}
