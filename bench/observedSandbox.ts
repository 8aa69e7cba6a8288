/**
 * A sandbox in this process that keeps account of what it was asked for, and when.
 */
import { type Faults, noFaults } from '../cli/sandbox/faults.ts';
import { type Organization, openOrganization } from '../cli/sandbox/organization.ts';
import { startSandbox } from '../cli/sandbox/server.ts';

/** Times are of `performance.now()`, in the order of the calls. */
export interface Observations {
  /** When each call arrived, whatever it was. */
  readonly callsAtMs: number[];
  /** How often each was made, such as `GET /iam/v1/users`; look-ups are among these. */
  readonly calls: Map<string, number>;
  /** When each invitation call arrived. */
  readonly postsAtMs: number[];
  /** When each invitation call was taken: not refused with 429 or another fault. */
  readonly takenAtMs: number[];
  readonly lookUpsAtMs: number[];
  lists: number;
  /** Invitation calls that were taken, for each email address. */
  readonly takenByEmail: Map<string, number>;
  /** Those of them that created a user. */
  readonly invitedByEmail: Map<string, number>;
}

export interface ObservedSandbox {
  readonly url: string;
  readonly observations: Observations;
}

export interface ObservedSandboxOptions {
  readonly faults?: Partial<Faults>;
  /** Users from the beginning. */
  readonly seed?: readonly string[];
  /** Told when an invitation call arrives, after it was counted. */
  readonly onPost?: () => void;
}

export async function withSandbox<T>(
  { faults = {}, seed = [], onPost }: ObservedSandboxOptions,
  use: (sandbox: ObservedSandbox) => Promise<T>,
): Promise<T> {
  const organization = openOrganization(':memory:');
  const observations = newObservations();
  try {
    organization.seed(seed);
    const sandbox = await startSandbox({
      port: 0,
      organization: observe(organization, observations),
      faults: { ...noFaults, ...faults },
      onCall: (method, path) => {
        observations.callsAtMs.push(performance.now());
        countUp(observations.calls, `${method} ${path}`);
        if (method !== 'POST') return;
        observations.postsAtMs.push(performance.now());
        onPost?.();
      },
    });
    try {
      return await use({ url: sandbox.url, observations });
    } finally {
      await sandbox.close();
    }
  } finally {
    organization.close();
  }
}

function newObservations(): Observations {
  return {
    callsAtMs: [],
    calls: new Map(),
    postsAtMs: [],
    takenAtMs: [],
    lookUpsAtMs: [],
    lists: 0,
    takenByEmail: new Map(),
    invitedByEmail: new Map(),
  };
}

function observe(organization: Organization, observations: Observations): Organization {
  return {
    ...organization,
    userTexts: () => {
      observations.lists += 1;
      return organization.userTexts();
    },
    find: (email) => {
      observations.lookUpsAtMs.push(performance.now());
      return organization.find(email);
    },
    invite: (user) => {
      observations.takenAtMs.push(performance.now());
      countUp(observations.takenByEmail, user.email);
      const invited = organization.invite(user);
      if (invited !== undefined) countUp(observations.invitedByEmail, user.email);
      return invited;
    },
  };
}

function countUp(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Calls in a second between the first and the last of them. */
export function ratePerSecond(timesAtMs: readonly number[]): number {
  const first = timesAtMs.at(0) ?? 0;
  const last = timesAtMs.at(-1) ?? 0;
  if (last <= first) throw new Error(`A rate needs at least two calls; there were ${timesAtMs.length}.`);
  return ((timesAtMs.length - 1) * 1000) / (last - first);
}
