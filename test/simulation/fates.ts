/**
 * What becomes of each line of an export, and how the directory differs from it: worked out from the two alone.
 */
import type { User } from './doitApiModel.ts';
import { idOf, organizations, type Person, roles } from './week.ts';

const rowsOfHeader = 2;

export interface Fate {
  readonly person: Person;
  readonly row: number;
  readonly user: User | undefined;
  /** As in the report, where nobody's invitation is sent again; `created` for who is to be invited. */
  readonly code: string;
}

const invalidCodes: readonly string[] = ['too_few_cells', 'unknown_role'];

export function isInvalid({ code }: Pick<Fate, 'code'>): boolean {
  return invalidCodes.includes(code);
}

export function fatesOf(people: readonly Person[], users: readonly User[]): Fate[] {
  const seen = new Set<string>();
  return people.map((person, index) => {
    const user = users.find(({ email }) => email === person.email);
    const code = codeOf(person, user, seen.has(person.email));
    // Only a line that is all right counts as the first one.
    if (code !== 'no_longer_active' && !isInvalid({ code })) seen.add(person.email);
    return { person, row: index + rowsOfHeader, user, code };
  });
}

function codeOf(person: Person, user: User | undefined, isSecond: boolean): string {
  if (person.isCutOff === true) return 'too_few_cells';
  if (person.status === 'Terminated') return 'no_longer_active';
  if (idOf(roles, person.role) === '') return 'unknown_role';
  if (isSecond) return 'duplicate';
  if (user === undefined) return 'created';
  return { active: 'already_active', invited: 'already_invited' }[user.status] ?? 'already_exists';
}

/** The first line of a user that is all right. */
export function isOfUser({ user, code }: Fate): boolean {
  return user !== undefined && code.startsWith('already_');
}

/** Where a line says something else than the directory. */
export function differencesOf({ person, row, user }: Fate): string[] {
  const role = roles.find(({ id }) => id === user?.roleId)?.name ?? '';
  const organization = organizations.find(({ id }) => id === user?.organizationId)?.name ?? '';
  return [
    ...(role === person.role ? [] : [driftLine('role_differs', person.email, row, person.role, role)]),
    ...(organization === person.organization
      ? []
      : [driftLine('organization_differs', person.email, row, person.organization, organization)]),
  ];
}

/** Where a user stands in an export: whoever has a line that says so is staying. */
export function placeOf(user: User, fates: readonly Fate[]): { readonly row: number | ''; readonly absence: string[] } {
  const lines = fates.filter(({ person }) => person.email === user.email);
  const staying = lines.filter(({ code }) => code !== 'no_longer_active').at(-1);
  const row = (staying ?? lines[0])?.row ?? '';
  if (lines.length === 0) return { row, absence: [driftLine('not_in_roster', user.email, '')] };
  // Who has left and is disabled is as the export says.
  const isGone = staying !== undefined || user.status === 'Disabled';
  return { row, absence: isGone ? [] : [driftLine('left_in_roster', user.email, row)] };
}

export function driftLine(kind: string, email: string, row: number | '', inRoster = '', inDoit = ''): string {
  return [kind, email, row, inRoster, inDoit].join('|');
}
