/**
 * Who decides about a job on this machine: the user and the machine, by their names.
 */
import { hostname, userInfo } from 'node:os';
import { decisionLimits } from '../limits.ts';

export function nameOfThisPerson(): string {
  return `${userName()} on ${hostname()}`.slice(0, decisionLimits.nameCharactersMax);
}

/** In a container, a user may have a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
