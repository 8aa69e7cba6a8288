/**
 * Ten nights of one organization: people come, leave and change, exports break, and the API has a bad night.
 */
import { directoryKey } from '../../lambdas/core/keys.ts';
import type { User } from './doitApiModel.ts';
import type { System } from './system.ts';
import { type Night, type NightResult, type Person, Week } from './week.ts';
import { type Expected, WeekOracle } from './weekOracle.ts';

function person(name: string, changes: Partial<Person> = {}): Person {
  const email = `${name}@acme.example`;
  return { email, role: 'Standard User', organization: 'Acme East', status: 'Active', ...changes };
}

function people(prefix: string, count: number): Person[] {
  return Array.from({ length: count }, (_, index) => person(`${prefix}${index + 1}`));
}

const staff = [...people('staff', 20), person('pending'), person('late')];
const first = [...staff, ...people('joiner', 2), person('staff1')];
const changed = [
  person('staff1', { status: 'Terminated' }),
  ...staff.slice(4),
  person('staff3', { role: 'Admin' }),
  person('staff4', { organization: 'Acme West' }),
  ...people('joiner', 3),
];
const afterOutage = [...changed, person('joiner4')];
const badRoles = [
  ...afterOutage.slice(0, 18),
  ...afterOutage.slice(18).map((row) => ({ ...row, role: 'Wizard' })),
  person('joiner5'),
];
const merger = [...afterOutage, person('joiner5'), ...people('merged', 8)];

function set(status: string, ...names: readonly string[]): (week: Week) => void {
  return (week) => {
    for (const name of names) week.setUser(`${name}@acme.example`, status);
  };
}

export const nights: readonly Night[] = [
  { name: 'the first night', export: first },
  { name: 'unchanged people', export: first, before: set('active', 'joiner1') },
  { name: 'leavers, changes and a joiner', export: changed, before: set('expired', 'late') },
  { name: 'an export cut in half', export: changed.slice(0, 11), before: set('active', 'joiner3') },
  { name: 'an outage of the API', export: afterOutage, apiIsDown: true },
  {
    name: 'an export with roles that nobody knows',
    export: badRoles,
    before: set('active', 'joiner4'),
    approves: true,
  },
  { name: 'no export' },
  { name: 'a merger', export: merger, before: set('expired', 'late', 'joiner2') },
  { name: 'a merger that is approved', export: merger, approves: true },
  {
    name: 'unchanged people again',
    export: merger,
    before: set(
      'active',
      'late',
      'pending',
      'joiner2',
      'joiner5',
      ...merger.slice(-8).map(({ email }) => nameOf(email)),
    ),
  },
];

function nameOf(email: string): string {
  return email.slice(0, email.indexOf('@'));
}

export interface PassedNight {
  readonly night: Night;
  readonly result: NightResult;
  readonly expected: Expected;
}

export async function passAll(
  system?: System,
): Promise<{ readonly week: Week; readonly passed: readonly PassedNight[] }> {
  const week = new Week(system);
  const oracle = new WeekOracle();
  for (const { email } of staff) week.setUser(email, 'active');
  set('invited', 'pending')(week);
  set('expired', 'late')(week);
  set('active', 'contractor1', 'contractor2')(week);
  const passed: PassedNight[] = [];
  for (const night of nights) {
    let users: readonly User[] = [];
    const { result, jobId } = await week.pass(night, () => {
      users = [...week.api.users.values()];
    });
    const { takenAtMs = 0 } = JSON.parse(week.store.text(directoryKey(jobId)) ?? '{}') as { takenAtMs?: number };
    passed.push({ night, result, expected: oracle.expect(night, users, takenAtMs) });
  }
  return { week, passed };
}
