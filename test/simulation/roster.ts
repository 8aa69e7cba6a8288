/**
 * What goes in: a file of people, and an oracle that says what must become of each row without looking at the code that
 * decides it.
 */
import type { Chance } from './chance.ts';

export interface RosterRow {
  /** As many as the header has, or fewer where the file was cut off. */
  readonly cells: readonly string[];
  readonly expected: Expected;
}

export type Expected =
  /** The row itself is at fault. */
  | { readonly kind: 'invalid' }
  /** An earlier row names the same person. */
  | { readonly kind: 'duplicate' }
  /** The row says that the person has left. */
  | { readonly kind: 'skipped' }
  /** To be invited, unless the person is a user already. */
  | { readonly kind: 'person'; readonly email: string };

export interface Roster {
  readonly header: readonly string[];
  readonly text: string;
  readonly rows: readonly RosterRow[];
}

const header = ['Email', 'First name'] as const;
const invalidEmails = ['not an address', 'two@@acme.example', 'nobody', ''] as const;

/** People whom a simulation knows; few, so that uploads overlap. */
export function peopleOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `person${index + 1}@acme.example`);
}

export function drawRoster(chance: Chance, people: readonly string[], rowsMax: number): Roster {
  const rows: (readonly [string, string])[] = [];
  for (let count = chance.between(1, rowsMax); count > 0; count -= 1) {
    const firstName = `Name${rows.length}`;
    if (chance.happens(0.1)) rows.push([chance.pick(invalidEmails), firstName]);
    else rows.push([spelled(chance.pick(people), chance), firstName]);
  }
  return rosterOf(rows);
}

export function rosterOf(rows: readonly (readonly [email: string, firstName: string])[]): Roster {
  const seen = new Set<string>();
  const text = [header, ...rows].map((cells) => `${cells.join(',')}\n`).join('');
  return { header, text, rows: rows.map((cells) => ({ cells, expected: expectedOf(cells[0], seen) })) };
}

function expectedOf(cell: string, seen: Set<string>): Expected {
  const email = cell.trim().toLowerCase();
  if (!/^[a-z]+\d*@acme\.example$/u.test(email)) return { kind: 'invalid' };
  if (seen.has(email)) return { kind: 'duplicate' };
  seen.add(email);
  return { kind: 'person', email };
}

/** The same person, as somebody else would type the address. */
function spelled(email: string, chance: Chance): string {
  const spelling = chance.between(0, 5);
  if (spelling === 0) return email.toUpperCase();
  if (spelling === 1) return ` ${email} `;
  if (spelling === 2) return email.charAt(0).toUpperCase() + email.slice(1);
  return email;
}
