/**
 * What a run of a drawn week must say, from the export that it read, the directory as the API gave it, what the API saw of its
 * calls and what people decided. Where nothing went wrong, that is one thing for each row; drift is one thing always.
 */
import type { JobId } from '../../lambdas/core/jobId.ts';
import { stopOf } from './checks.ts';
import type { PersonCall } from './doitApiModel.ts';
import { differencesOf, driftLine, type Fate, fatesOf, isInvalid, isOfUser, placeOf } from './fates.ts';
import { isAsOldAs, type OpenBook, type OpenSince, sinceIn } from './openBook.ts';
import { idOf, organizations, roles } from './week.ts';
import { aftermathMs, clockSlackMs, isQuiet, type Night, type Snapshot, type WeekEvidence } from './weekNight.ts';

const hour = 3_600_000;
const resendEveryMs = 49 * hour;
const invitationLivesMs = 48 * hour;
const newPeopleMin = 200;
const newPeopleShare = 0.2;

/** What was known before a run. */
export interface Before {
  readonly book: OpenBook;
  /** Rows of the last completed run. */
  readonly rows: number | undefined;
}

type Need = 'invite' | 'resend' | 'perhaps_resend' | 'none';

interface Planned extends Fate {
  readonly need: Need;
}

function planOf({ run, people }: Night, { users, takenAtMs }: Snapshot, book: OpenBook): Planned[] {
  return fatesOf(people, users).map((fate) => ({ ...fate, need: needOf(fate, book, takenAtMs, run.run.rules) }));
}

function needOf(fate: Fate, book: OpenBook, takenAtMs: number, { resendAfterMs }: { resendAfterMs?: number }): Need {
  const { user, code } = fate;
  if (code === 'created') return 'invite';
  if (user === undefined || !isOfUser(fate) || resendAfterMs === undefined) return 'none';
  const since = sinceIn(book, user, takenAtMs);
  const isOld = since === undefined ? false : isAsOldAs(since, resendAfterMs, takenAtMs);
  if (isOld === undefined) return 'perhaps_resend';
  return isOld ? 'resend' : 'none';
}

/** What is not as it must be; nothing where all is. */
export function mismatches(night: Night, snapshot: Snapshot, before: Before, evidence: WeekEvidence): string[] {
  const plan = planOf(night, snapshot, before.book);
  return [
    ...wrongDrift(night, snapshot, before.book, plan),
    ...wrongHold(night, snapshot, before, plan),
    ...plan.flatMap((planned, index) => wrongRow(night, planned, index, snapshot, evidence)),
    ...wrongPosts(night, plan, evidence),
  ];
}

interface WantedDrift {
  readonly line: string;
  /** Undefined where it may be there. */
  readonly isWanted: boolean | undefined;
  /** Since when the invitation is open, where it is about one. */
  readonly since?: OpenSince;
}

function wrongDrift(
  { drift = [], run }: Night,
  snapshot: Snapshot,
  book: OpenBook,
  plan: readonly Planned[],
): string[] {
  const left = [...drift];
  const openAfterMs = run.run.rules.openAfterMs ?? invitationLivesMs;
  const wrong = driftOf(snapshot, book, plan, openAfterMs).flatMap(({ line, isWanted, since }) => {
    const index = left.findIndex((entry) => entry.line === line);
    const [entry] = index < 0 ? [] : left.splice(index, 1);
    if (entry === undefined) return isWanted === true ? [`drift ${line} is missing`] : [];
    return isWanted !== false && isSince(entry.sinceMs, since)
      ? []
      : [`drift ${line} is there, since ${entry.sinceMs}`];
  });
  return [...wrong, ...left.map(({ line }) => `drift ${line} is there`)];
}

function driftOf(
  { users, takenAtMs }: Snapshot,
  book: OpenBook,
  plan: readonly Planned[],
  openAfterMs: number,
): WantedDrift[] {
  const differences = plan.filter(isOfUser).flatMap(differencesOf);
  const places = users.map((user) => ({ user, ...placeOf(user, plan) }));
  const absences = places.flatMap(({ absence }) => absence);
  const open = places.flatMap(({ user, row }): WantedDrift[] => {
    const since = sinceIn(book, user, takenAtMs);
    if (since === undefined) return [];
    if (since.state === 'expired')
      return [{ line: driftLine('invitation_expired', user.email, row), isWanted: true, since }];
    // Longer than that, by a millisecond.
    const isWanted = isAsOldAs(since, openAfterMs + 1, takenAtMs);
    return [{ line: driftLine('invitation_open', user.email, row), isWanted, since }];
  });
  return [...[...differences, ...absences].map((line) => ({ line, isWanted: true })), ...open];
}

function isSince(sinceMs: number | undefined, since: OpenSince | undefined): boolean {
  if (sinceMs === undefined || since === undefined) return sinceMs === since;
  return sinceMs >= since.fromMs && sinceMs <= since.toMs;
}

function wrongHold({ run, summary }: Night, { users }: Snapshot, before: Before, plan: readonly Planned[]): string[] {
  const counted = (...needs: readonly Need[]) => plan.filter(({ need }) => needs.includes(need)).length;
  const fewest = counted('invite', 'resend');
  const most = fewest + counted('perhaps_resend');
  const limit = run.run.rules.newPeopleMax ?? Math.max(newPeopleMin, Math.floor(users.length * newPeopleShare));
  const reasons: Record<string, boolean | undefined> = {
    too_many_new: fewest > limit ? true : most <= limit ? false : undefined,
    too_few_rows: before.rows !== undefined && plan.length * 2 < before.rows,
    too_many_invalid: plan.filter(isInvalid).length * 5 > plan.length,
  };
  if (run.dryRun) return wrongWarnings(summary.warnings ?? [], Object.values(reasons));
  const found: readonly string[] = (summary.hold ?? []).map(({ code }) => code);
  return Object.entries(reasons).flatMap(([code, isWanted]) =>
    isWanted === undefined || found.includes(code) === isWanted
      ? []
      : [
          `${isWanted ? 'not held' : 'held'} for ${code} (${fewest} to ${most} of ${limit}, ${before.rows} rows before)`,
        ],
  );
}

/** A dry run says for how many reasons it would be held. */
function wrongWarnings(warnings: readonly string[], reasons: readonly (boolean | undefined)[]): string[] {
  const found = warnings.filter((warning) => warning.includes('would be held')).length;
  const wanted = reasons.filter((reason) => reason === true).length;
  if (reasons.includes(undefined) || found === wanted) return [];
  return [`a dry run that would be held for ${wanted} reasons names ${found}`];
}

function wrongRow(night: Night, planned: Planned, index: number, snapshot: Snapshot, evidence: WeekEvidence): string[] {
  const row = night.rows[index];
  if (row?.row !== planned.row) return [`row ${planned.row} is row ${row?.row}`];
  const codes = codesOf(night, planned, snapshot, evidence);
  const mayBeLeft = planned.need === 'perhaps_resend' && row.code === planned.code;
  if (codes === undefined)
    return settledByIngest.includes(row.code) && !mayBeLeft ? [`row ${row.row} is ${row.code}`] : [];
  if (!codes.includes(row.code)) return [`row ${row.row} is ${row.code} instead of ${codes.join(' or ')}`];
  const isInDoubt = row.status === 'unknown' && !isReleased(night);
  return isInDoubt ? [`row ${row.row} is in doubt, and nobody has released the run`] : [];
}

/** Whether anybody could have been sent anything. */
function isReleased({ manifest, approvedAtMs }: Night): boolean {
  return manifest.hold === undefined || Number.isFinite(approvedAtMs);
}

/** What no row says whose invitation was to be sent. */
const settledByIngest: readonly string[] = [
  ...['held', 'would_invite', 'would_resend', 'duplicate', 'no_longer_active', 'unknown_role', 'too_few_cells'],
  ...['already_active', 'already_invited', 'already_exists'],
];

/** Undefined where several things are honest, and other checks say whether this one is. */
function codesOf(
  night: Night,
  planned: Planned,
  snapshot: Snapshot,
  evidence: WeekEvidence,
): readonly string[] | undefined {
  const { need, code } = planned;
  if (need === 'none') return [code];
  const sent = codesOfSent(night, planned, snapshot, evidence);
  return need === 'perhaps_resend' && sent !== undefined ? [code, ...sent] : sent;
}

function codesOfSent(
  night: Night,
  { need, person }: Planned,
  snapshot: Snapshot,
  evidence: WeekEvidence,
): readonly string[] | undefined {
  const { run, summary, stop } = night;
  if (run.dryRun) return need === 'invite' ? ['would_invite'] : ['would_resend'];
  if (summary.state === 'held') return ['held'];
  // Nobody has released it, so nothing else can have become of anybody in it.
  if (!isReleased(night)) return [stop?.code ?? 'nothing'];
  if (!isQuiet(evidence, snapshot.takenAtMs, night.reportedAtMs)) return undefined;
  if (need === 'invite') return codesOfInvited(night, person.email, evidence);
  const wasResent = evidence.api.resendings.some(({ email, jobId }) => email === person.email && jobId === run.jobId);
  if (wasResent) return ['resent'];
  const before = resentRecently(night, person.email, snapshot, evidence);
  const stopped = stop === undefined ? [] : [stop.code];
  if (before === undefined) return ['resent_recently', ...stopped, 'resent'];
  return before ? ['resent_recently', ...stopped] : stopped;
}

function codesOfInvited({ run, stop }: Night, email: string, { api }: WeekEvidence): readonly string[] {
  if (api.users.get(email)?.createdBy === run.jobId) return ['created'];
  const refused = email.startsWith('refused') ? ['refused_by_api'] : [];
  return [...refused, ...(stop === undefined ? [] : [stop.code])];
}

/** Whether another run has sent it in the last 49 hours; undefined where it may have, or may have been about to. */
function resentRecently(
  { run, reportedAtMs, approvedAtMs }: Night,
  email: string,
  { writtenAtMs }: Snapshot,
  evidence: WeekEvidence,
): boolean | undefined {
  const { api } = evidence;
  const begunMs = Number.isFinite(approvedAtMs) ? Math.max(writtenAtMs, approvedAtMs) : writtenAtMs;
  const others = api.resendings.filter((other) => other.email === email && other.jobId !== run.jobId);
  if (others.some(({ atMs }) => reportedAtMs - atMs < resendEveryMs)) return true;
  const isOpen = api.personCalls.some(
    (call) =>
      call.kind === 'resend' &&
      call.email === email &&
      call.jobId !== run.jobId &&
      call.decidedAtMs < reportedAtMs &&
      begunMs - call.decidedAtMs < resendEveryMs + clockSlackMs &&
      !wasTakenBack(call, evidence),
  );
  return isOpen ? undefined : false;
}

/** A clear no, and nothing that kept the run from noting that nothing was sent. */
function wasTakenBack({ httpStatus = 0, decidedAtMs, jobId }: PersonCall, { troubles, store }: WeekEvidence): boolean {
  if (![400, 401, 403, 404, 422].includes(httpStatus) || stopOf(jobId as JobId, store) !== undefined) return false;
  return !troubles.some(
    ({ kind, atMs }) =>
      Math.abs(atMs - decidedAtMs) < aftermathMs &&
      !kind.startsWith('api_') &&
      !['directory', 'key_revoked'].includes(kind),
  );
}

/** Nobody is called about but those whom the run was to send something. */
function wrongPosts({ posts }: Night, plan: readonly Planned[], { api }: WeekEvidence): string[] {
  const invited = new Map(
    plan.flatMap(({ need, person }) => (need === 'invite' ? [[person.email, person] as const] : [])),
  );
  const resent = new Set(plan.flatMap(({ need, person }) => (need.endsWith('resend') ? [person.email] : [])));
  return [
    ...posts.flatMap(({ kind, email }) =>
      (kind === 'invite' ? invited.has(email) : resent.has(email)) ? [] : [`a call to ${kind} ${email}`],
    ),
    ...api.created.flatMap(({ email, createdBy, roleId, organizationId }) => {
      const wanted = posts.find((post) => post.email === email && post.jobId === createdBy);
      const person = invited.get(email);
      if (wanted === undefined || person === undefined) return [];
      const isRight =
        roleId === idOf(roles, person.role) && organizationId === idOf(organizations, person.organization);
      return isRight ? [] : [`${email} got ${roleId} ${organizationId}`];
    }),
  ];
}
