/**
 * The directory before a drawn week, and what happens to it meanwhile without any of ours: people accept, invitations expire,
 * somebody is given another role or is disabled.
 */
import { type Chance, chanceOf } from './chance.ts';
import type { DoitApiModel, User } from './doitApiModel.ts';
import type { PlannedExport } from './drawnExports.ts';
import type { DirectoryChange, Scenario } from './simulation.ts';
import { idOf, organizations, roles } from './week.ts';

const second = 1000;
const hour = 3600 * second;
/** An invitation lives for so long. */
const livesMs = 48 * hour;

export function drawDirectory(chance: Chance, exports: readonly PlannedExport[]): Scenario['usersBefore'] {
  const staff = (exports[0]?.people ?? []).filter(({ email }) => !email.startsWith('refused') && chance.happens(0.85));
  const known = staff.map(({ email, role, organization }) => {
    const isSame = chance.happens(0.9);
    const roleId = isSame ? idOf(roles, role) : chance.pick(roles).id;
    const organizationId = isSame ? idOf(organizations, organization) : chance.pick(organizations).id;
    const status = chance.pick(['active', 'active', 'active', 'active', 'invited', 'expired', 'Disabled']);
    return { email, status, roleId, organizationId };
  });
  const contractors = Array.from({ length: chance.between(0, 3) }, (_, index) => ({
    email: `contractor${index + 1}@acme.example`,
    status: chance.pick(['active', 'invited']),
    roleId: chance.pick(roles).id,
  }));
  return [...known, ...contractors];
}

/** @param mayMeetRuns Whether some happen while a run is under way, too. */
export function drawDirectoryChanges(chance: Chance, dueTimesMs: readonly number[], mayMeetRuns: boolean) {
  return dueTimesMs.flatMap((dueMs, night) => {
    if (night === 0) return [];
    return Array.from({ length: chance.between(0, 5) }, (): DirectoryChange => {
      const seed = chance.between(1, 1_000_000);
      const afterDueMs = chance.between(0, 90) * second;
      const beforeDueMs = chance.between(1, 20) * (hour / 2);
      const meetsRun = mayMeetRuns && night < dueTimesMs.length - 1 && chance.happens(0.15);
      return {
        atMs: meetsRun ? dueMs + afterDueMs : dueMs - beforeDueMs,
        change: (api, nowMs) => changeOne(api, nowMs, chanceOf(seed)),
      };
    });
  });
}

function changeOne(api: DoitApiModel, nowMs: number, chance: Chance): void {
  const user = chance.pick([...api.users.values()]);
  api.users.set(user.email, { ...user, ...changeOf(user, sentAtMs(user, api), nowMs, chance) });
}

function changeOf(user: User, sentMs: number, nowMs: number, chance: Chance): Partial<User> {
  switch (user.status) {
    case 'invited':
      return nowMs - sentMs >= livesMs && chance.happens(0.6) ? { status: 'expired' } : { status: 'active' };
    case 'active':
      // Whom we have just invited, nobody disables: to a look-up that would be somebody who was there before.
      if (chance.happens(0.2) && nowMs - sentMs >= livesMs) return { status: 'Disabled' };
      return { roleId: chance.pick(roles).id, organizationId: chance.pick(organizations).id };
    default:
      return {};
  }
}

function sentAtMs({ email, createdAtMs }: User, api: DoitApiModel): number {
  return api.resendings.findLast((resending) => resending.email === email)?.atMs ?? createdAtMs;
}
