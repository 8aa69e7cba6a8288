import { describe, expect, test } from 'vitest';
import { type HttpAnswer, readInviteAnswer, readLookUpAnswer } from '../../../lambdas/core/answers.ts';

const answer = (httpStatus: number, changes: Partial<HttpAnswer> = {}): HttpAnswer => ({
  httpStatus,
  errorMessage: 'Something was said.',
  ...changes,
});

const user = { id: 'user-1', status: 'invited' };

describe('the answer to an invitation', () => {
  test.each([200, 201, 202])('a status %i with a readable user means that the person is invited', (httpStatus) => {
    expect(readInviteAnswer(answer(httpStatus), 'user-1')).toEqual({ kind: 'invited', httpStatus, userId: 'user-1' });
  });

  test.each([200, 201, 204])('a status %i without a readable user is in doubt, not a success', (httpStatus) => {
    expect(readInviteAnswer(answer(httpStatus), undefined)).toEqual({
      kind: 'in_doubt',
      doubt: {
        reason: 'unreadable_answer',
        httpStatus,
        detail: `status ${httpStatus} with an answer that could not be read`,
        mayBeOurs: true,
        mayStillHappen: true,
      },
    });
  });

  test.each([400, 402, 403, 404, 413, 422])(
    'a status %i is a no to this row, with the words of the API',
    (httpStatus) => {
      expect(readInviteAnswer(answer(httpStatus, { errorMessage: 'no such role' }), undefined)).toEqual({
        kind: 'refused',
        httpStatus,
        message: 'no such role',
      });
    },
  );

  test('a 401 is about the key, not about the row', () => {
    expect(readInviteAnswer(answer(401, { errorMessage: 'bad key' }), undefined)).toEqual({
      kind: 'key_refused',
      httpStatus: 401,
      message: 'bad key',
    });
  });

  test('a 429 asks for a slower pace, and passes on how long to wait where the API says so', () => {
    expect(readInviteAnswer(answer(429), undefined)).toStrictEqual({ kind: 'slow_down' });
    expect(readInviteAnswer(answer(429, { retryAfterMs: 0 }), undefined)).toEqual({
      kind: 'slow_down',
      retryAfterMs: 0,
    });
  });

  test.each([
    // The application itself has spoken: it is done with the call.
    { httpStatus: 500, mayStillHappen: false },
    { httpStatus: 409, mayStillHappen: false },
    // Something before the application has given up waiting for it.
    { httpStatus: 408, mayStillHappen: true },
    { httpStatus: 502, mayStillHappen: true },
    { httpStatus: 503, mayStillHappen: true },
    { httpStatus: 504, mayStillHappen: true },
    { httpStatus: 524, mayStillHappen: true },
    { httpStatus: 302, mayStillHappen: true },
  ])(
    'a status $httpStatus leaves the row in doubt; its effect may come later: $mayStillHappen',
    ({ httpStatus, mayStillHappen }) => {
      expect(readInviteAnswer(answer(httpStatus), undefined)).toEqual({
        kind: 'in_doubt',
        doubt: {
          reason: 'server_error',
          httpStatus,
          detail: `status ${httpStatus}`,
          mayBeOurs: httpStatus !== 409,
          mayStillHappen,
        },
      });
    },
  );

  test('a user in the body of an error is not a success', () => {
    expect(readInviteAnswer(answer(500), 'user-1').kind).toBe('in_doubt');
    expect(readInviteAnswer(answer(400), 'user-1').kind).toBe('refused');
  });
});

describe('the answer to a look-up', () => {
  test('a user who is there is found, with the status that the API gives', () => {
    expect(readLookUpAnswer(answer(200), user)).toEqual({ kind: 'found', userId: 'user-1', userStatus: 'invited' });
  });

  test('a readable answer with nobody in it means that nobody is there', () => {
    expect(readLookUpAnswer(answer(200), 'nobody')).toEqual({ kind: 'not_found' });
  });

  test('an answer that cannot be read proves nothing', () => {
    expect(readLookUpAnswer(answer(200), undefined)).toEqual({
      kind: 'unavailable',
      detail: 'status 200 with an answer that could not be read',
    });
  });

  test.each([302, 408, 409, 500, 502, 503, 504, 524])('a status %i proves nothing, even with a body', (httpStatus) => {
    expect(readLookUpAnswer(answer(httpStatus), 'nobody')).toEqual({
      kind: 'unavailable',
      detail: `status ${httpStatus}`,
    });
  });

  test.each([400, 403, 404])('after a status %i asking again is no use', (httpStatus) => {
    expect(readLookUpAnswer(answer(httpStatus, { errorMessage: 'not allowed' }), 'nobody')).toEqual({
      kind: 'refused',
      httpStatus,
      message: 'not allowed',
    });
  });

  test('a 401 is about the key', () => {
    expect(readLookUpAnswer(answer(401), undefined).kind).toBe('key_refused');
  });

  test('a 429 asks for a slower pace', () => {
    expect(readLookUpAnswer(answer(429, { retryAfterMs: 7000 }), undefined)).toEqual({
      kind: 'slow_down',
      retryAfterMs: 7000,
    });
    expect(readLookUpAnswer(answer(429), undefined)).toStrictEqual({ kind: 'slow_down' });
  });
});
