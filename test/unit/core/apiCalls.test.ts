import { describe, expect, test } from 'vitest';
import { type ApiCalls, addApiCall, addApiCalls } from '../../../lambdas/core/apiCalls.ts';

describe('counting the calls to the API', () => {
  test('the first call of an operation counts as one', () => {
    expect(addApiCall({}, 'invite_user', '201')).toEqual({ invite_user: { '201': 1 } });
  });

  test('the same answer to the same operation adds up; other answers and operations stand beside it', () => {
    const calls = (
      [
        ['invite_user', '201'],
        ['invite_user', '201'],
        ['invite_user', 'no_answer'],
        ['find_user', '201'],
      ] as const
    ).reduce<ApiCalls>((sum, [operation, answer]) => addApiCall(sum, operation, answer), {});
    expect(calls).toEqual({ invite_user: { '201': 2, no_answer: 1 }, find_user: { '201': 1 } });
  });

  test('the counts of two parts are added without changing either', () => {
    const left: ApiCalls = { invite_user: { '201': 2, '429': 1 }, list_users: { '200': 1 } };
    const right: ApiCalls = { invite_user: { '201': 3, '500': 1 }, find_user: { '200': 4 } };
    expect(addApiCalls(left, right)).toEqual({
      invite_user: { '201': 5, '429': 1, '500': 1 },
      list_users: { '200': 1 },
      find_user: { '200': 4 },
    });
    expect(left).toEqual({ invite_user: { '201': 2, '429': 1 }, list_users: { '200': 1 } });
    expect(right).toEqual({ invite_user: { '201': 3, '500': 1 }, find_user: { '200': 4 } });
  });

  test('a part without calls changes nothing', () => {
    const calls: ApiCalls = { validate: { '200': 1 } };
    expect(addApiCalls(calls, {})).toEqual(calls);
    expect(addApiCalls({}, calls)).toEqual(calls);
  });
});
