/**
 * What is sent to the uploads queue at each time of a roster. Nobody's name is in it.
 */
import type { RosterSettings } from './rosterSettings.ts';

/** EventBridge Scheduler puts the time there for which the run was planned. Source: its User Guide, "Adding context attributes". */
const scheduledTime = '<aws.scheduler.scheduled-time>';

const hourMs = 3_600_000;

export function rosterMessageOf(roster: RosterSettings): string {
  const { name, key, mapping, role, organization, dryRun, newPeopleMax } = roster;
  const { newPeoplePercent, rowsPercentMin, invalidPercentMax } = roster;
  const { staleAfterHours, openAfterHours, resendAfterHours } = roster;
  return JSON.stringify({
    roster: {
      name,
      key,
      mapping,
      role,
      organization,
      dryRun,
      newPeopleMax,
      newPeopleShare: shareOf(newPeoplePercent),
      rowsShareMin: shareOf(rowsPercentMin),
      invalidShareMax: shareOf(invalidPercentMax),
      staleAfterMs: msOf(staleAfterHours),
      openAfterMs: msOf(openAfterHours),
      resendAfterMs: msOf(resendAfterHours),
    },
    scheduledAt: scheduledTime,
  });
}

/** What is not set is not said: the functions know what holds then. */
function shareOf(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : percent / 100;
}

function msOf(hours: number | undefined): number | undefined {
  return hours === undefined ? undefined : hours * hourMs;
}
