/**
 * What the use cases count for the dashboard and the alarms.
 */
import { describe, expect, test } from 'vitest';
import { wholeJob } from '../support/wholeJob.ts';
import { newWorld, type World } from '../support/world.ts';

/** Rows by status, added up over all lines. */
function rowsCounted({ metrics }: World): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of metrics.lines) {
    const [, rows, status] = /^Rows (\d+) \{"status":"(\w+)"\}$/u.exec(line) ?? [];
    if (status !== undefined) counts[status] = (counts[status] ?? 0) + Number(rows);
  }
  return counts;
}

describe('the metrics of a job', () => {
  test('have every row once, whoever settled it', async () => {
    const world = newWorld();
    world.api.users.set('old@acme.example', { id: 'user-7', status: 'active' });
    const refused = { kind: 'refused', httpStatus: 400, message: 'no' } as const;
    world.api.onInvite = ({ email }) => (email.startsWith('no') ? { answer: refused, effect: false } : undefined);
    const names = [
      'a@acme.example',
      'b@acme.example',
      'old@acme.example',
      'nobody',
      'A@acme.example',
      'no@acme.example',
    ];
    const { summary } = await wholeJob(world, `email\n${names.join('\n')}\n`);
    expect(rowsCounted(world)).toEqual({ invited: 2, already_active: 1, invalid: 1, duplicate: 1, rejected: 1 });
    const reported = Object.entries(summary?.counts ?? {}).filter(([, rows]) => rows > 0);
    expect(rowsCounted(world)).toEqual(Object.fromEntries(reported));
  });

  test('have the start and the end of a job', async () => {
    const world = newWorld();
    await wholeJob(world, 'email\na@acme.example\n');
    expect(world.metrics.lines.filter((line) => line.startsWith('Jobs'))).toEqual([
      'Jobs 1 {"state":"started"}',
      'Jobs 1 {"state":"completed"}',
    ]);
  });

  test('say why a job failed', async () => {
    const world = newWorld();
    world.api.onRead = () => ({ kind: 'refused', httpStatus: 401, message: 'invalid API key' });
    await wholeJob(world, 'email\na@acme.example\n');
    expect(world.metrics.lines).toEqual([
      'Jobs 1 {"state":"started"}',
      'Jobs 1 {"state":"failed"}',
      'JobsFailed 1 {"code":"key_refused"}',
    ]);
  });
});
