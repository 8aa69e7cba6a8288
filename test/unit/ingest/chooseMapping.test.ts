import { describe, expect, test } from 'vitest';
import { reportFiles, runIngest, runReports, runWorkers, upload } from '../../support/wholeJob.ts';
import { newWorld, type World } from '../../support/world.ts';

const people = 'Work Email,Business Email\na@acme.example,b@acme.example\n';

async function run(world: World, metadata: Readonly<Record<string, string>> = {}, key = 'incoming/hr/people.csv') {
  await runIngest(world, await upload(world, people, key, metadata));
  await runWorkers(world);
  await runReports(world);
  return { invited: [...world.api.users.keys()], summary: reportFiles(world, key).summary };
}

async function mapping(world: World, text: string, folder = 'incoming/hr/'): Promise<void> {
  await world.store.put(`${folder}mapping.json`, text, { kind: 'always' });
}

describe('the choice of columns for an upload', () => {
  test('is missing: then nothing is guessed, and nobody is invited', async () => {
    const { invited, summary } = await run(newWorld());
    expect(invited).toEqual([]);
    expect(summary).toMatchObject({ state: 'failed', rows: 1, error: { code: 'ambiguous_column' } });
  });

  test('comes with the upload, as metadata', async () => {
    const { invited, summary } = await run(newWorld(), { 'map-email': 'Business%20Email' });
    expect(invited).toEqual(['b@acme.example']);
    expect(summary?.columns.used).toEqual({ email: 'Business Email' });
  });

  test('lies beside the upload, for all of its folder and for no other', async () => {
    const world = newWorld();
    await mapping(world, '{"email":"Work Email"}');
    expect((await run(world)).invited).toEqual(['a@acme.example']);
    const elsewhere = newWorld();
    await mapping(elsewhere, '{"email":"Work Email"}', 'incoming/');
    expect((await run(elsewhere)).summary).toMatchObject({ state: 'failed' });
  });

  test('that comes with the upload outranks the one beside it', async () => {
    const world = newWorld();
    await mapping(world, '{"email":"Work Email"}');
    expect((await run(world, { 'map-email': 'Business Email' })).invited).toEqual(['b@acme.example']);
  });

  test('is no upload itself', async () => {
    const world = newWorld();
    const message = await upload(world, '{"email":"Work Email"}', 'incoming/hr/mapping.json');
    expect(await runIngest(world, message)).toEqual({ kind: 'done' });
    expect([...world.store.texts().keys()]).toEqual(['incoming/hr/mapping.json']);
  });

  test.each([
    ['no JSON', 'email: Work Email', 'is not JSON'],
    ['a field that does not exist', '{"mail":"Work Email"}', 'the fields are email, firstName'],
    ['a column that does not exist', '{"email":"Mail"}', '“Mail”'],
  ])('that is wrong fails the job with a report that says how it should be: %s', async (_name, text, sentence) => {
    const world = newWorld();
    await mapping(world, text);
    const { invited, summary } = await run(world);
    expect(invited).toEqual([]);
    expect(summary?.error?.message).toContain(sentence);
    expect(world.api.calls).toEqual([]);
  });
});
