import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Doubt, InviteAnswer, LookUpAnswer } from '../../../lambdas/core/answers.ts';
import { workerLimits } from '../../../lambdas/core/limits.ts';
import {
  afterInvite,
  afterLookUp,
  beforeInvite,
  type GivingUp,
  giveUp,
  nextCall as nextCallOf,
  putInDoubtByCrash,
  type RowProgress,
} from '../../../lambdas/core/rowProgress.ts';

const { lateEffectMs } = workerLimits;

const row = (changes: Partial<RowProgress> = {}): RowProgress => ({
  row: 7,
  invitee: { email: 'ann@example.com' },
  attempts: 0,
  ...changes,
});

const invited: InviteAnswer = { kind: 'invited', httpStatus: 201, userId: 'user-1' };
const refused: InviteAnswer = { kind: 'refused', httpStatus: 400, message: 'no such role.' };
const slowDown: InviteAnswer & LookUpAnswer = { kind: 'slow_down' };
const keyRefused: InviteAnswer & LookUpAnswer = { kind: 'key_refused', httpStatus: 401, message: 'bad key.' };
const inDoubt = (changes: Partial<Doubt> = {}): InviteAnswer => ({
  kind: 'in_doubt',
  doubt: { reason: 'no_answer', detail: 'no answer within 30 s', mayBeOurs: true, mayStillHappen: true, ...changes },
});
const timeOut = inDoubt();
const serverError = inDoubt({
  reason: 'server_error',
  httpStatus: 500,
  detail: 'status 500',
  mayStillHappen: false,
});

const found: LookUpAnswer = { kind: 'found', userId: 'user-1', userStatus: 'invited' };
const notFound: LookUpAnswer = { kind: 'not_found' };
const lookUpRefused: LookUpAnswer = { kind: 'refused', httpStatus: 403, message: 'not allowed.' };
const unavailable: LookUpAnswer = { kind: 'unavailable', detail: 'status 503' };

const failed: GivingUp = { status: 'failed', code: 'api_down', message: 'The API could not be used for 6 hours.' };

const invite = (from: RowProgress, answer: InviteAnswer, nowMs = 0): RowProgress =>
  afterInvite(beforeInvite(from), answer, nowMs);
const lookUp = (from: RowProgress, answer: LookUpAnswer, nowMs = 0, overlaps = false): RowProgress =>
  afterLookUp(from, answer, { nowMs, overlaps });
const nextCall = (of: RowProgress, nowMs = 0, overlaps = false) => nextCallOf(of, { nowMs, overlaps });

describe('a row that others may invite meanwhile', () => {
  const { lookUpHoldsMs } = workerLimits;

  test('is looked up before its first invitation, and the look-up holds for a minute', () => {
    expect(nextCall(row(), 0, true)).toBe('look_up');
    const looked = lookUp(row(), notFound, 1000, true);
    expect(nextCall(looked, 1000 + lookUpHoldsMs, true)).toBe('invite');
    expect(nextCall(looked, 1001 + lookUpHoldsMs, true)).toBe('look_up');
  });

  test('is looked up again before each further invitation that comes later', () => {
    const slowed = invite(lookUp(row(), notFound, 0, true), slowDown, 1000);
    expect(nextCall(slowed, lookUpHoldsMs, true)).toBe('invite');
    expect(nextCall(slowed, lookUpHoldsMs + 1, true)).toBe('look_up');
    expect(nextCall(slowed, lookUpHoldsMs + 1, false)).toBe('invite');
  });

  test('is invited already where the look-up finds somebody before anything was sent', () => {
    expect(lookUp(row(), found, 0, true).outcome).toMatchObject({ status: 'already_invited', attempts: 0 });
  });

  test('is unknown where somebody is found after an attempt without an answer: it may have been the other job', () => {
    expect(lookUp(invite(row(), timeOut), found, 0, true).outcome).toMatchObject({
      status: 'unknown',
      code: 'invited_by_one_of_several',
      userId: 'user-1',
    });
    expect(lookUp(invite(row(), timeOut), found, 0, false).outcome).toMatchObject({ status: 'invited' });
  });
});

describe('a row with an attempt that may still take effect', () => {
  test('needs a look-up that is no older than a minute before it is invited again', () => {
    const looked = lookUp(invite(row(), timeOut, 0), notFound, 1000);
    expect(nextCall(looked, 1000 + workerLimits.lookUpHoldsMs)).toBe('invite');
    expect(nextCall(looked, 1001 + workerLimits.lookUpHoldsMs)).toBe('look_up');
  });

  test('needs none where the attempt certainly had no effect', () => {
    const looked = lookUp(invite(row(), serverError, 0), notFound, 1000);
    expect(nextCall(looked, 10 * workerLimits.lookUpHoldsMs)).toBe('invite');
  });
});

describe('a row whose invitation is answered clearly', () => {
  test('is invited, with the id of the user and the number of attempts', () => {
    const end = invite(invite(row(), slowDown), invited);
    expect(end.outcome).toEqual({
      row: 7,
      status: 'invited',
      code: 'created',
      userId: 'user-1',
      httpStatus: 201,
      attempts: 2,
    });
    expect(nextCall(end)).toBe('none');
  });

  test('keeps its warning in the report', () => {
    expect(invite(row({ warning: 'Left out.' }), invited).outcome?.message).toBe('Left out.');
  });

  test.each([
    ['a 429', slowDown, 429],
    ['a refused key', keyRefused, 401],
  ] as const)('after %s nothing happened, so it may simply be sent again', (_, answer, lastHttpStatus) => {
    const next = invite(row(), answer);
    expect(next).toEqual(row({ attempts: 1, lastHttpStatus }));
    expect(nextCall(next)).toBe('invite');
  });
});

describe('a row that the API refuses', () => {
  test('is looked up first, because the person may exist already', () => {
    const next = invite(row(), refused);
    expect(next.outcome).toBeUndefined();
    expect(nextCall(next)).toBe('look_up');
  });

  test('is rejected with the API’s own words where nobody is found', () => {
    expect(lookUp(invite(row(), refused), notFound).outcome).toEqual({
      row: 7,
      status: 'rejected',
      code: 'refused_by_api',
      message: 'The API refused this row with status 400: no such role.',
      httpStatus: 400,
      attempts: 1,
    });
  });

  test('is rejected as forbidden after a 403', () => {
    const forbidden = invite(row(), { kind: 'refused', httpStatus: 403, message: 'may not grant this role.' });
    expect(lookUp(forbidden, notFound).outcome).toMatchObject({
      status: 'rejected',
      code: 'forbidden',
      httpStatus: 403,
    });
  });

  test.each([
    ['Active', 'already_active'],
    ['invited', 'already_invited'],
    ['disabled', 'already_exists'],
  ])('of someone who is there meanwhile, with status %s, is %s', (userStatus, status) => {
    expect(lookUp(invite(row(), refused), { kind: 'found', userId: 'user-9', userStatus }).outcome).toMatchObject({
      status,
      code: 'appeared_meanwhile',
      userId: 'user-9',
    });
  });

  test('is rejected too where looking up is not allowed', () => {
    expect(lookUp(invite(row(), refused), lookUpRefused).outcome?.status).toBe('rejected');
  });

  test.each([slowDown, keyRefused, unavailable])('waits for its look-up after $kind', (answer) => {
    const waiting = invite(row(), refused);
    expect(lookUp(waiting, answer)).toEqual(waiting);
  });

  test('is rejected where it is given up before the look-up', () => {
    expect(giveUp(invite(row(), refused), failed).outcome).toMatchObject({ status: 'rejected', httpStatus: 400 });
  });
});

describe('a row in doubt', () => {
  test.each([
    ['a time-out', timeOut],
    ['a server error', serverError],
    ['an unreadable answer', inDoubt({ reason: 'unreadable_answer', httpStatus: 200 })],
  ])('after %s is looked up before anything is sent again', (_, answer) => {
    expect(nextCall(invite(row(), answer))).toBe('look_up');
  });

  test('is invited where the look-up finds the person', () => {
    expect(lookUp(invite(row({ warning: 'Left out.' }), timeOut), found).outcome).toEqual({
      row: 7,
      status: 'invited',
      code: 'confirmed_by_look_up',
      message: 'Confirmed by a look-up after an attempt without a clear answer. Left out.',
      userId: 'user-1',
      attempts: 1,
    });
  });

  test('may be sent again where the look-up finds nobody', () => {
    expect(nextCall(lookUp(invite(row(), serverError), notFound))).toBe('invite');
  });

  test.each([slowDown, keyRefused, unavailable])('stays in doubt after a look-up with $kind', (answer) => {
    const doubtful = invite(row(), timeOut);
    expect(lookUp(doubtful, answer)).toEqual(doubtful);
  });

  test('is unknown for good where the look-up is refused', () => {
    expect(lookUp(invite(row(), timeOut), lookUpRefused).outcome).toMatchObject({ status: 'unknown' });
  });

  test('a person found after a later refusal is this job’s work, because an earlier attempt may have done it', () => {
    const refusedLater = invite(lookUp(invite(row(), timeOut), notFound), refused);
    expect(lookUp(refusedLater, found).outcome).toMatchObject({ status: 'invited', code: 'confirmed_by_look_up' });
  });

  test('tells the last status that the API gave', () => {
    expect(invite(row(), serverError).lastHttpStatus).toBe(500);
    expect(invite(invite(row(), slowDown), timeOut).lastHttpStatus).toBe(429);
  });
});

describe('a row that is given up', () => {
  test('without any attempt ends as the reason says', () => {
    const end = giveUp(row(), { status: 'not_attempted', code: 'key_refused', message: 'The job stopped.' });
    expect(end.outcome).toEqual({
      row: 7,
      status: 'not_attempted',
      code: 'key_refused',
      message: 'The job stopped.',
      attempts: 0,
    });
  });

  test('in doubt is unknown, never failed, and says what was seen', () => {
    expect(giveUp(invite(row(), timeOut), failed).outcome).toEqual({
      row: 7,
      status: 'unknown',
      code: 'api_down',
      message:
        'There was an attempt with no answer within 30 s, and whether it took effect could not be found out. ' +
        'The API could not be used for 6 hours.',
      attempts: 1,
    });
  });

  test('failed, once a look-up found nobody after the API itself had ended the call', () => {
    expect(giveUp(lookUp(invite(row(), serverError), notFound), failed).outcome).toMatchObject({
      status: 'failed',
      httpStatus: 500,
    });
  });

  test('is unknown while a call without an answer may still take effect, even though a look-up found nobody', () => {
    const early = lookUp(invite(row(), timeOut, 1000), notFound, 1000 + lateEffectMs - 1);
    expect(giveUp(early, failed).outcome?.status).toBe('unknown');
    const late = lookUp(invite(row(), timeOut, 1000), notFound, 1000 + lateEffectMs);
    expect(giveUp(late, failed).outcome?.status).toBe('failed');
  });

  test('a server error after a time-out does not shorten the time in which the first call may take effect', () => {
    const timedOut = lookUp(invite(row(), timeOut, 0), notFound, 1000);
    const then = lookUp(invite(timedOut, serverError, 2000), notFound, 3000);
    expect(giveUp(then, failed).outcome?.status).toBe('unknown');
  });

  test('keeps the outcome that it has', () => {
    const end = invite(row(), invited);
    expect(giveUp(end, failed)).toBe(end);
  });
});

describe('a row whose worker was cut off', () => {
  test('is looked up first, and is unknown where it is given up', () => {
    const cut = putInDoubtByCrash(row(), 0);
    expect(nextCall(cut)).toBe('look_up');
    expect(giveUp(cut, failed).outcome?.status).toBe('unknown');
  });

  test('may have been invited by a call that was under way: then it is', () => {
    expect(lookUp(putInDoubtByCrash(row(), 0), found).outcome).toMatchObject({ status: 'invited' });
  });

  test('keeps its outcome', () => {
    const end = invite(row(), invited);
    expect(putInDoubtByCrash(end, 0)).toBe(end);
  });

  test('keeps what was seen of the attempt before', () => {
    expect(putInDoubtByCrash(invite(row(), timeOut), 0).doubt?.reason).toBe('no_answer');
  });
});

describe('in the corners', () => {
  // The doubt that was saved hides that another call went out after it, and that one may still take effect.
  test('a row that was in doubt when its worker was cut off is not called failed too early', () => {
    const saved = invite(row(), serverError, 0);
    // The look-up finds nobody, the next invitation leaves, and the worker vanishes before it saves again.
    const cut = putInDoubtByCrash(saved, 45_000);
    expect(giveUp(lookUp(cut, notFound, 46_000), failed).outcome?.status).toBe('unknown');
  });

  // A refused row has no invitation under way: nothing that it finds can be this job's work.
  test('a refused row whose worker was cut off is not called invited because someone else did it', () => {
    const cut = putInDoubtByCrash(invite(row(), refused), 45_000);
    expect(lookUp(cut, found).outcome?.status).toBe('already_invited');
  });

  // `rejected` says that nobody was invited, and the first attempt may still do it.
  test('a row is not called rejected while an earlier attempt may still take effect', () => {
    const refusedLater = invite(lookUp(invite(row(), timeOut, 0), notFound, 1000), refused, 2000);
    expect(lookUp(refusedLater, notFound, 3000).outcome?.status).not.toBe('rejected');
  });
});

type Effect = 'now' | 'later' | 'never';

type Step =
  | { readonly act: 'call'; readonly invite: Invite; readonly lookUp: LookUp; readonly effect: Effect }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'late_effect' | 'save' | 'crash' | 'give_up' };

type Invite = 'created' | 'refused' | 'slow_down' | 'key_refused' | 'server_error' | 'time_out' | 'cut_off';
type LookUp = 'works' | 'slow_down' | 'refused' | 'unavailable' | 'cut_off';

/** One person, an API that may answer anything, and a worker that saves the row now and then and may be cut off. */
class World {
  row: RowProgress = row();
  nowMs = 0;
  isThere = false;
  /** An attempt has had no clear answer, and no look-up since has had one. */
  mustLookUp = false;
  /** Until when each call that was left without an answer may still take effect. */
  readonly #pendingUntilMs: number[] = [];
  #saved: RowProgress = this.row;

  get mayStillHappen(): boolean {
    return this.#pendingUntilMs.some((untilMs) => untilMs > this.nowMs);
  }

  take(step: Step): void {
    switch (step.act) {
      case 'wait':
        this.nowMs += step.ms;
        return;
      case 'late_effect':
        if (this.mayStillHappen) this.isThere = true;
        return;
      case 'save':
        this.#saved = this.row;
        return;
      case 'crash':
        return this.#cutOff();
      case 'give_up':
        this.row = giveUp(this.row, failed);
        return;
      case 'call':
        return this.#call(step.invite, step.lookUp, step.effect);
    }
  }

  #call(inviteAs: Invite, lookUpAs: LookUp, effect: Effect): void {
    switch (nextCall(this.row, this.nowMs)) {
      case 'none':
        return;
      case 'look_up':
        return this.#lookUp(lookUpAs);
      case 'invite':
        expect(this.mustLookUp).toBe(false);
        this.row = beforeInvite(this.row);
        // The API keeps one user per email.
        return this.#invite(this.isThere && inviteAs === 'created' ? 'refused' : inviteAs, effect);
    }
  }

  #invite(as: Invite, effect: Effect): void {
    switch (as) {
      case 'created':
        this.isThere = true;
        return this.#heed(invited);
      case 'refused':
        return this.#heed(refused);
      case 'slow_down':
        return this.#heed(slowDown);
      case 'key_refused':
        return this.#heed(keyRefused);
      case 'server_error':
        if (effect === 'now') this.isThere = true;
        return this.#heed(serverError);
      case 'time_out':
        this.#takeEffect(effect);
        return this.#heed(timeOut);
      case 'cut_off':
        this.#takeEffect(effect);
        return this.#cutOff();
    }
  }

  #heed(answer: InviteAnswer): void {
    if (answer.kind === 'in_doubt') this.mustLookUp = true;
    this.row = afterInvite(this.row, answer, this.nowMs);
  }

  #takeEffect(effect: Effect): void {
    if (effect === 'now') this.isThere = true;
    if (effect === 'later') this.#pendingUntilMs.push(this.nowMs + lateEffectMs);
  }

  #lookUp(as: LookUp): void {
    if (as === 'cut_off') return this.#cutOff();
    const works = this.isThere ? found : notFound;
    const answer = { works, slow_down: slowDown, refused: lookUpRefused, unavailable }[as];
    if (as === 'works') this.mustLookUp = false;
    this.row = lookUp(this.row, answer, this.nowMs);
  }

  /** What was not saved is lost; a saved row in doubt or refused is taken as saved in time: see the known defects. */
  #cutOff(): void {
    const wasSavedInTime = this.#saved.doubt !== undefined || this.#saved.refusal !== undefined;
    this.row = putInDoubtByCrash(wasSavedInTime ? this.row : this.#saved, this.nowMs);
    this.#saved = this.row;
    this.mustLookUp = this.row.outcome === undefined;
  }
}

const anyInvite: fc.Arbitrary<Invite> = fc.constantFrom(
  ...(['created', 'refused', 'slow_down', 'key_refused', 'server_error', 'time_out', 'cut_off'] as const),
);
const anyLookUp: fc.Arbitrary<LookUp> = fc.constantFrom(
  ...(['works', 'works', 'works', 'slow_down', 'refused', 'unavailable', 'cut_off'] as const),
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      act: fc.constant('call' as const),
      invite: anyInvite,
      lookUp: anyLookUp,
      effect: fc.constantFrom<Effect>('now', 'later', 'never'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 200_000 }) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('save', 'crash', 'late_effect', 'give_up') }) },
);

function expectTrue(status: string, world: World): void {
  if (status === 'failed') expect(world).toMatchObject({ isThere: false, mayStillHappen: false });
  if (status === 'invited') expect(world.isThere).toBe(true);
}

describe('whatever the API answers, in whatever order', () => {
  test('nothing is sent while in doubt, nobody who is or may be invited is called failed, and nobody else invited', () => {
    const ends: string[] = [];
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        const world = new World();
        for (const step of steps) {
          const before = world.row.outcome;
          world.take(step);
          const { outcome } = world.row;
          if (outcome === undefined || outcome === before) continue;
          ends.push(outcome.status);
          expectTrue(outcome.status, world);
        }
      }),
      { numRuns: 3000 },
    );
    // Each of these ends was among them, so the property has spoken about it.
    for (const end of ['invited', 'failed', 'unknown', 'rejected']) {
      expect(ends.filter((status) => status === end).length).toBeGreaterThan(10);
    }
  });
});

test('a person found in a state that no fresh invitation has was there before', () => {
  const disabled: LookUpAnswer = { kind: 'found', userId: 'user-1', userStatus: 'Disabled' };
  expect(lookUp(invite(row(), timeOut), disabled).outcome).toMatchObject({ status: 'already_exists' });
});

test('an invitation of its own that has expired by the time of the look-up is still its own', () => {
  const expired: LookUpAnswer = { kind: 'found', userId: 'user-1', userStatus: 'expired' };
  expect(lookUp(invite(row(), timeOut), expired).outcome).toMatchObject({ status: 'invited' });
});
