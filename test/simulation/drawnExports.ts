/**
 * The export of each night: the one before, changed by those who join, leave or change, and sometimes broken.
 */
import type { Chance } from './chance.ts';
import type { Expected, Roster } from './roster.ts';
import { idOf, organizations, type Person, roles } from './week.ts';

export interface PlannedExport {
  /** Undefined where it does not come. */
  readonly roster?: Roster;
  /** Those who are really there. */
  readonly people: readonly Person[];
  /** Whether the run is likely to be held. */
  readonly isLarge: boolean;
}

const header = ['Email', 'Role', 'Organization', 'Status'] as const;

export function drawExports(chance: Chance, nights: number, newPeopleMax: number): PlannedExport[] {
  const brokenNight = chance.between(1, nights - 2);
  const others = Array.from({ length: nights - 1 }, (_, night) => night).filter((night) => night !== brokenNight);
  const missingNight = chance.pick(others);
  const mergerNight = chance.happens(0.4) ? chance.pick(others) : -1;
  const joiners = newJoiners(chance);
  let people: readonly Person[] = joiners(chance.between(6, 14));
  return Array.from({ length: nights }, (_, night) => {
    if (night > 0) people = changed(people, joiners, chance);
    if (night === mergerNight) people = [...people, ...joiners(Math.min(9, newPeopleMax + 1))];
    const isLarge = night === mergerNight || night === brokenNight;
    if (night === missingNight) return { people, isLarge };
    const lines = night === brokenNight ? broken(people, chance) : people;
    return { roster: exportOf(lines), people, isLarge };
  });
}

function newJoiners(chance: Chance): (count: number) => Person[] {
  let joined = 0;
  return (count) =>
    Array.from({ length: count }, () => {
      joined += 1;
      // The API refuses some people, night after night.
      const name = chance.happens(0.03) ? 'refused' : 'person';
      return { email: `${name}${joined}@acme.example`, ...drawAccess(chance), status: 'Active' };
    });
}

function drawAccess(chance: Chance): Pick<Person, 'role' | 'organization'> {
  return { role: chance.pick(roles).name, organization: chance.pick(organizations).name };
}

function changed(people: readonly Person[], joiners: (count: number) => Person[], chance: Chance): Person[] {
  const stayed = people.flatMap((person): Person[] => {
    if (chance.happens(0.04)) return [];
    if (chance.happens(0.04)) return [{ ...person, status: 'Terminated' }];
    if (person.status === 'Terminated' && chance.happens(0.1)) return [{ ...person, status: 'Active' }];
    return [chance.happens(0.05) ? { ...person, ...drawAccess(chance) } : person];
  });
  // The same person twice: once as somebody who has left, perhaps.
  const again = chance.happens(0.2) && stayed.length > 0 ? [chance.pick(stayed)] : [];
  const status = chance.pick(['Active', 'Terminated']);
  const all = [...stayed, ...joiners(chance.pick([0, 0, 1, 1, 2, 3]))];
  const place = chance.between(0, all.length);
  return [...all.slice(0, place), ...again.map((person) => ({ ...person, status })), ...all.slice(place)];
}

function broken(people: readonly Person[], chance: Chance): Person[] {
  if (chance.happens(0.5)) {
    const cut = people.slice(0, chance.between(1, people.length));
    const last = cut.at(-1);
    return last === undefined || chance.happens(0.5) ? cut : [...cut.slice(0, -1), { ...last, isCutOff: true }];
  }
  const share = chance.pick([0.1, 0.3, 0.9]);
  return people.map((person) => (chance.happens(share) ? { ...person, role: 'Wizard' } : person));
}

function exportOf(people: readonly Person[]): Roster {
  const seen = new Set<string>();
  const rows = people.map((person) => ({ cells: cellsOf(person), expected: expectedOf(person, seen) }));
  const isCutOff = people.at(-1)?.isCutOff === true;
  const text = [header, ...rows.map(({ cells }) => cells)].map((cells) => cells.join(',')).join('\n');
  return { header, rows, text: isCutOff ? text : `${text}\n` };
}

function cellsOf({ email, role, organization, status, isCutOff }: Person): string[] {
  return isCutOff === true ? [email, role.slice(0, 3)] : [email, role, organization, status];
}

function expectedOf({ email, role, status, isCutOff }: Person, seen: Set<string>): Expected {
  if (isCutOff === true) return { kind: 'invalid' };
  if (status === 'Terminated') return { kind: 'skipped' };
  if (idOf(roles, role) === '') return { kind: 'invalid' };
  if (seen.has(email)) return { kind: 'duplicate' };
  seen.add(email);
  return { kind: 'person', email };
}

/** The lines of an export. */
export function peopleOfExport({ rows }: Roster): Person[] {
  return rows.map(({ cells }) => {
    const [email = '', role = '', organization = '', status = ''] = cells;
    return { email, role, organization, status, ...(cells.length < header.length ? { isCutOff: true } : {}) };
  });
}
