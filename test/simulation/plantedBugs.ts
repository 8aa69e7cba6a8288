/**
 * Known-bad variants of the production code, one small change each. A simulation that does not catch them is blind.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FaultKind } from './faults.ts';
import { production, type System } from './system.ts';

export interface PlantedBug {
  readonly name: string;
  /** The check that must find it, among others. */
  readonly caughtBy: string;
  /** Faults that it takes: with them switched on in every seed, fewer seeds do. */
  readonly kinds?: readonly FaultKind[];
  readonly changes: readonly Change[];
  /** Where the search begins, so that it is not long; 1 where it does not matter. */
  readonly firstSeed?: number;
}

interface Change {
  /** Below `lambdas/`. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'no claim before the calls',
    caughtBy: 'no_second_invitation',
    changes: [
      {
        file: 'worker/ownedChunk.ts',
        from: 'const newEtag = await replaceChunk(ports.store, jobId, chunk, etag);',
        to: 'const newEtag = etag;',
      },
    ],
  },
  {
    name: 'an unconditional claim',
    caughtBy: 'settled_stays',
    kinds: ['message_visible_too_soon', 'frozen'],
    changes: [{ file: 'ledger/chunk.ts', from: "{ kind: 'if_match', etag }", to: "{ kind: 'always' }" }],
  },
  {
    name: 'our own 412 is taken for that of another',
    caughtBy: 'unknown_has_a_cause',
    kinds: ['store_retries_its_own_write'],
    changes: [
      {
        file: 'ledger/chunk.ts',
        from: 'return there?.value.token === chunk.token ? there.etag : undefined;',
        to: 'return undefined;',
      },
    ],
  },
  {
    name: 'a retry without a look-up',
    caughtBy: 'no_second_invitation',
    changes: [
      {
        file: 'core/rowProgress.ts',
        from: "if (row.doubt !== undefined || row.refusal !== undefined) return 'look_up';",
        to: "if (row.refusal !== undefined) return 'look_up';",
      },
      {
        file: 'core/rowProgress.ts',
        from: ' || row.lateEffectUntilMs !== undefined;',
        to: ';',
      },
    ],
  },
  {
    name: 'a time-out is called failed',
    caughtBy: 'invited_exactly',
    kinds: ['api_silent_late_effect', 'api_read_fails'],
    changes: [
      {
        file: 'core/rowProgress.ts',
        from: 'if (row.doubt !== undefined || row.lateEffectUntilMs !== undefined) {',
        to: 'if (row.attempts < 0) {',
      },
    ],
  },
  {
    name: 'a lease that ends before its calls do',
    firstSeed: 3020,
    caughtBy: 'one_call_at_a_time',
    kinds: ['store_unreachable', 'message_visible_too_soon', 'api_slow'],
    changes: [
      { file: 'worker/work.ts', from: 'settings.callTimeoutMs + workerLimits.leaseMarginMs', to: '6000' },
      {
        file: 'worker/rowCaller.ts',
        from: 'clock.now() + callTimeoutMs <= chunk.leaseEndsAtMs',
        to: 'clock.now() + callTimeoutMs > 0',
      },
    ],
  },
  {
    name: 'calls go on after the lease',
    firstSeed: 590,
    caughtBy: 'no_second_invitation',
    kinds: ['frozen', 'message_visible_too_soon'],
    changes: [
      {
        file: 'worker/rowCaller.ts',
        from: 'if (stopWatch.isSeen && clock.now() + callTimeoutMs <= chunk.leaseEndsAtMs) return;',
        to: 'if (clock.now() + callTimeoutMs > 0) return;',
      },
      {
        file: 'worker/rowCaller.ts',
        from: 'if (others.isSeen(chunk)) return;',
        to: 'if (others !== undefined) return;',
      },
    ],
  },
  {
    name: 'a worker that has lost its chunk goes on',
    caughtBy: 'no_second_invitation',
    kinds: ['frozen', 'message_visible_too_soon'],
    changes: [
      {
        file: 'worker/keepLease.ts',
        from: "if (!(await chunk.save())) halt.set({ kind: 'lost' });",
        to: 'if (!(await chunk.save())) log.info("chunk_not_ours", {});',
      },
      {
        file: 'worker/rowCaller.ts',
        from: 'if (stopWatch.isSeen && clock.now() + callTimeoutMs <= chunk.leaseEndsAtMs) return;',
        to: 'if (clock.now() + callTimeoutMs > 0) return;',
      },
      {
        file: 'worker/rowCaller.ts',
        from: 'if (others.isSeen(chunk)) return;',
        to: 'if (others !== undefined) return;',
      },
    ],
  },
  {
    name: 'rows of a crashed worker are not in doubt',
    caughtBy: 'no_second_invitation',
    changes: [
      {
        file: 'core/chunk.ts',
        from: 'rows: chunk.rows.map((row) => putInDoubtByCrash(row, claimant.nowMs)),',
        to: 'rows: chunk.rows,',
      },
    ],
  },
  {
    name: 'effects are never late',
    caughtBy: 'invited_exactly',
    kinds: ['api_silent_late_effect'],
    changes: [
      {
        file: 'core/rowProgress.ts',
        from: '...(doubt.mayStillHappen ? ',
        to: '...(doubt.mayStillHappen && nowMs < 0 ? ',
      },
    ],
  },
  {
    name: 'a look-up holds for ever',
    caughtBy: 'no_second_invitation',
    kinds: ['api_silent_late_effect', 'api_proxy_error_late_effect'],
    changes: [
      {
        file: 'core/rowProgress.ts',
        from: 'lookedUpAtMs !== undefined && nowMs - lookedUpAtMs <= workerLimits.lookUpHoldsMs',
        to: 'lookedUpAtMs !== undefined && nowMs > 0',
      },
    ],
  },
  {
    name: 'the manifest comes before the chunks',
    caughtBy: 'liveness',
    changes: [
      {
        file: 'ingest/cutIntoChunks.ts',
        from: 'await createChunk(store, job.jobId, newChunk(job, chunks, newToken(), directory, waiting));',
        to: 'void createChunk(store, job.jobId, newChunk(job, chunks, newToken(), directory, waiting)).catch(() => 0);',
      },
    ],
  },
  {
    name: 'a second run of ingest takes a snapshot of its own',
    caughtBy: 'liveness',
    changes: [
      {
        file: 'ingest/takeSnapshot.ts',
        from: 'if (earlier !== undefined) return earlier;',
        to: 'if (earlier?.takenAtMs === 0) return earlier;',
      },
      {
        file: 'ledger/directory.ts',
        from: "if ((await writer.close()).kind === 'written') return directory;",
        to: "if ((await writer.close()).kind !== 'conflict') return directory;",
      },
    ],
  },
  {
    name: 'a repeated ingest does not send the chunks again',
    caughtBy: 'liveness',
    changes: [
      {
        file: 'ingest/ingest.ts',
        from: 'const manifest = (await readManifest(store, job.jobId)) ?? (await makeManifest(job, ports));',
        to: "const known = await readManifest(store, job.jobId); if (known !== undefined) return { kind: 'done' }; const manifest = await makeManifest(job, ports);",
      },
    ],
  },
  {
    name: 'the completion check comes after the acknowledgement',
    caughtBy: 'liveness',
    changes: [
      {
        file: 'worker/work.ts',
        from: '  await checkCompletion(ports.store, ports.reportsQueue, jobId);\n  return',
        to: '  void checkCompletion(ports.store, ports.reportsQueue, jobId).catch(() => 0);\n  return',
      },
    ],
  },
  {
    name: 'no completion check where the part is there already',
    caughtBy: 'liveness',
    changes: [
      {
        file: 'worker/work.ts',
        from: '    await checkCompletion(store, ports.reportsQueue, jobId);\n    return',
        to: '    return',
      },
    ],
  },
  {
    name: 'ingest does not check for completion',
    caughtBy: 'liveness',
    changes: [
      {
        file: 'ingest/goOn.ts',
        from: '  await checkCompletion(store, reportsQueue, jobId);\n',
        to: '  void reportsQueue;\n',
      },
    ],
  },
  {
    name: 'a message whose handling failed is acknowledged',
    caughtBy: 'liveness',
    changes: [
      {
        file: 'consume.ts',
        from: "return { kind: 'later', delayMs: redeliveryDelayMs(receiveCount) };",
        to: "return { kind: 'done' };",
      },
    ],
  },
  {
    name: 'duplicates are not seen',
    caughtBy: 'oracle',
    changes: [{ file: 'core/judge.ts', from: 'if (firstRow !== undefined) return', to: 'if (firstRow === 0) return' }],
  },
  {
    name: 'capitals make another person',
    caughtBy: 'oracle',
    changes: [
      {
        file: 'core/email.ts',
        from: 'if (isAscii.test(email)) return email.toLowerCase();',
        to: 'if (isAscii.test(email)) return email;',
      },
    ],
  },
  {
    name: 'a part is overwritten by a late worker',
    caughtBy: 'written_once',
    changes: [
      {
        file: 'ledger/part.ts',
        from: "store.writer(key, 'application/x-ndjson', { kind: 'if_absent' })",
        to: "store.writer(key, 'application/x-ndjson', { kind: 'always' })",
      },
    ],
  },
  {
    name: 'the summary does not wait for the other files',
    caughtBy: 'report_whole',
    changes: [
      { file: 'report/reportFile.ts', from: 'await writer.close();', to: 'void writer.close().catch(() => 0);' },
    ],
  },
  {
    name: 'the outcomes of a chunk are reported in any order',
    caughtBy: 'liveness',
    changes: [
      { file: 'report/outcomesInOrder.ts', from: 'leftHead.row < rightHead.row', to: 'leftHead.row > rightHead.row' },
    ],
  },
  {
    name: 'other jobs that begin later are not seen',
    caughtBy: 'no_second_invitation',
    changes: [
      {
        file: 'worker/otherJobs.ts',
        from: 'const areThere = await othersBegun(this.#store, jobId, snapshotAtMs);',
        to: 'const areThere = (await othersBegun(this.#store, jobId, snapshotAtMs)) && nowMs < 0;',
      },
    ],
  },
  {
    name: 'other jobs at work are not seen when a job begins',
    caughtBy: 'no_second_invitation',
    changes: [
      {
        file: 'ingest/takeSnapshot.ts',
        from: 'const overlaps = await othersAtWork(store, jobId, takenAtMs);',
        to: 'const overlaps = (await othersAtWork(store, jobId, takenAtMs)) && takenAtMs < 0;',
      },
      { file: 'core/limits.ts', from: 'noteMs: 5 * minute,', to: 'noteMs: 0,' },
    ],
  },
  {
    name: 'a job does not wait until others have seen it',
    firstSeed: 910,
    caughtBy: 'no_second_invitation',
    kinds: ['overlapping_upload', 'upload_replaced', 'store_slow'],
    changes: [
      { file: 'core/chunk.ts', from: 'return overlaps ? Math.max(', to: 'return overlaps && nowMs < 0 ? Math.max(' },
    ],
  },
  {
    name: 'what another job may have done is called invited',
    caughtBy: 'invited_exactly',
    changes: [
      {
        file: 'core/rowProgress.ts',
        from: 'return asked.overlaps ? someonesInvitation(row, answer.userId) : confirmed(row, answer.userId);',
        to: 'return asked.nowMs < 0 ? someonesInvitation(row, answer.userId) : confirmed(row, answer.userId);',
      },
    ],
  },
  {
    name: 'the approval of another job is accepted',
    caughtBy: 'held_is_kept',
    kinds: ['limit_exceeded', 'approval_of_another_job'],
    changes: [
      {
        file: 'ledger/approval.ts',
        from: 'if (approval.jobId === jobId) return approval;',
        to: 'return approval;',
      },
    ],
  },
  {
    name: 'chunks are sent although the job is held',
    caughtBy: 'held_is_kept',
    kinds: ['limit_exceeded'],
    changes: [{ file: 'ingest/goOn.ts', from: 'return await hold(jobId, ports);', to: 'await hold(jobId, ports);' }],
  },
  {
    name: 'a job that needs an approval is not held',
    caughtBy: 'held_where_wanted',
    kinds: ['limit_exceeded'],
    changes: [
      {
        file: 'core/hold.ts',
        from: 'if (invitations <= newPeopleMax) return undefined;',
        to: 'if (invitations <= newPeopleMax + 1) return undefined;',
      },
    ],
  },
  {
    name: 'a job at its limit is held',
    caughtBy: 'held_where_wanted',
    kinds: ['limit_exceeded'],
    changes: [
      {
        file: 'core/hold.ts',
        from: 'if (invitations <= newPeopleMax) return undefined;',
        to: 'if (invitations < newPeopleMax) return undefined;',
      },
    ],
  },
  {
    name: 'a roster with half of its rows is taken for cut off',
    firstSeed: 400,
    caughtBy: 'held_where_wanted',
    kinds: ['roster_run', 'roster_refreshed'],
    changes: [{ file: 'core/hold.ts', from: 'rows >= portion(', to: 'rows > portion(' }],
  },
  {
    name: 'the size of the last run is forgotten',
    firstSeed: 220,
    caughtBy: 'held_where_wanted',
    kinds: ['roster_run', 'roster_refreshed'],
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: 'return { lastCompleted: { jobId: last.jobId, rows: ended.rows } };',
        to: 'return {};',
      },
    ],
  },
  {
    name: 'a roster with too many invalid rows is not held',
    caughtBy: 'held_where_wanted',
    kinds: ['roster_run'],
    changes: [{ file: 'core/hold.ts', from: 'if (invalid <= portion(', to: 'if (invalid <= 2 * portion(' }],
  },
  {
    name: 'an approval is not heard of',
    caughtBy: 'right_end',
    kinds: ['limit_exceeded', 'approved'],
    changes: [
      {
        file: 'ingest/ingest.ts',
        from: 'return isRead || (await readStop',
        to: 'return (isRead && (await readStop(store, jobId)) !== undefined) || (await readStop',
      },
    ],
  },
  {
    name: 'a held job cannot be ended',
    caughtBy: 'right_end',
    kinds: ['limit_exceeded', 'rejected'],
    changes: [
      {
        file: 'ingest/goOn.ts',
        from: 'if ((await readStop(store, jobId)) !== undefined) return true;',
        to: 'await readStop(store, jobId);',
      },
    ],
  },
  {
    name: 'a job is released without a note that it begins',
    caughtBy: 'no_second_invitation',
    kinds: ['limit_exceeded', 'approved', 'overlapping_upload', 'api_slow'],
    changes: [{ file: 'ingest/goOn.ts', from: "await noteBegun(store, jobId, clock.now(), 'released');", to: '' }],
  },
  {
    name: 'a stop is not heeded when a chunk is claimed',
    caughtBy: 'stop_is_kept',
    kinds: ['cancelled'],
    changes: [
      {
        file: 'worker/work.ts',
        from: 'if (stop !== undefined) return await settle(',
        to: 'if (stop?.atMs === 0) return await settle(',
      },
    ],
  },
  {
    name: 'a stop is not heeded between two calls',
    caughtBy: 'stop_is_kept',
    kinds: ['cancelled'],
    changes: [
      { file: 'worker/keepLease.ts', from: 'if (stop !== undefined) halt.set', to: 'if (stop?.atMs === 0) halt.set' },
    ],
  },
  {
    name: 'calls go on although nobody can see whether the job was stopped',
    firstSeed: 280,
    caughtBy: 'stop_is_kept',
    kinds: ['cancelled', 'store_slow', 'store_unreachable', 'overlapping_upload'],
    changes: [{ file: 'worker/rowCaller.ts', from: 'if (stopWatch.isSeen && ', to: 'if (' }],
  },
  {
    name: 'a dry run invites',
    caughtBy: 'dry_run',
    kinds: ['dry_run'],
    changes: [
      {
        file: 'ingest/cutIntoChunks.ts',
        from: 'if (!dryRun) return undefined;',
        to: 'if (!dryRun || inviteeRow.row > 0) return undefined;',
      },
    ],
  },
  {
    name: 'others heed a dry run',
    firstSeed: 840,
    caughtBy: 'no_faults_no_look_ups',
    kinds: ['dry_run'],
    changes: [
      { file: 'ingest/takeSnapshot.ts', from: 'if (wanted.invitations) await noteBegun', to: 'await noteBegun' },
    ],
  },
  {
    name: 'the run of a roster is not claimed',
    caughtBy: 'runs_apart',
    kinds: ['roster_run'],
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: 'return (await replaceRosterRun(store, roster.name, run, stored?.etag)) ? before(run) : undefined;',
        to: 'return before(run);',
      },
    ],
  },
  {
    name: 'a run is begun while another one is at work',
    caughtBy: 'runs_apart',
    kinds: ['roster_run'],
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: 'if (!isHeld) return clock.now()',
        to: 'if (!isHeld) return clock.now() < 0 && clock.now()',
      },
    ],
  },
  {
    name: 'the end of a run is noted as that of the one which came after it',
    caughtBy: 'runs_apart',
    kinds: ['roster_run', 'limit_exceeded'],
    changes: [
      {
        file: 'ledger/rosterRun.ts',
        from: 'if (stored?.value.jobId !== jobId ||',
        to: 'if (stored === undefined ||',
      },
    ],
  },
  {
    name: 'a run that makes way is not stopped',
    caughtBy: 'makes_way',
    kinds: ['roster_run', 'limit_exceeded', 'approved'],
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: "    await writeStop(store, last.jobId, { code: 'superseded', message, atMs: clock.now() });\n",
        to: '    log.info(message, {});\n',
      },
    ],
  },
  {
    name: 'a file that is too old is run',
    caughtBy: 'run_not_begun',
    kinds: ['roster_run'],
    changes: [
      {
        file: 'core/roster.ts',
        from: 'return nowMs - refreshedAtMs > staleAfterMs;',
        to: 'return nowMs - refreshedAtMs > staleAfterMs + 8e8;',
      },
    ],
  },
  {
    name: 'an invitation is sent again without a note',
    firstSeed: 310,
    caughtBy: 'emails_apart',
    kinds: ['roster_run'],
    changes: [
      {
        file: 'ledger/resent.ts',
        from: 'return last.jobId !== jobId && nowMs - last.atMs < rosterLimits.resendEveryMs;',
        to: 'return last.jobId !== jobId && nowMs < 0;',
      },
    ],
  },
  {
    name: 'the key of a repetition is another one',
    caughtBy: 'emails_apart',
    kinds: ['roster_run', 'api_proxy_error_with_effect'],
    changes: [
      {
        file: 'core/idempotencyKey.ts',
        from: 'JSON.stringify([jobId, userId])',
        to: 'JSON.stringify([jobId, userId, Math.random()])',
      },
    ],
  },
  {
    name: 'the report of a held job takes the place of the final one',
    caughtBy: 'report_stays',
    kinds: ['limit_exceeded', 'approved', 'rejected', 'message_twice', 'store_slow'],
    changes: [
      {
        file: 'ledger/summary.ts',
        from: "if (stored !== undefined && (hasEnded(stored.value) || summary.state === 'held')) return;",
        to: "if (stored !== undefined && hasEnded(stored.value) && summary.state !== 'held') return;",
      },
    ],
  },
  {
    name: 'files of a held job are written over those of the final report',
    firstSeed: 260,
    caughtBy: 'report_whole',
    kinds: ['limit_exceeded', 'approved', 'rejected', 'message_twice', 'store_slow'],
    changes: [
      {
        file: 'report/reportFile.ts',
        from: "kind: isHeld ? 'if_absent' : 'always'",
        to: "kind: isHeld ? 'always' : 'always'",
      },
    ],
  },
  {
    name: 'an invitation that was sent again without an answer is called not attempted',
    caughtBy: 'resent_exactly',
    kinds: ['roster_run', 'cancelled', 'api_silent_with_effect'],
    changes: [
      {
        file: 'core/rowProgress.ts',
        from: 'return { ...row, doubt: answer.doubt, ...lastStatusOf(answer.doubt) };',
        to: 'return { ...row, ...lastStatusOf(answer.doubt) };',
      },
    ],
  },
];

export interface PlantedSystem {
  readonly system: System;
  /** Removes the copy. */
  readonly close: () => void;
}

/**
 * Loads a copy of the production code with the bug in it.
 *
 * @throws Error where a change no longer fits the code: then it is the list here that is to be mended.
 */
export async function plant({ name, changes }: PlantedBug): Promise<PlantedSystem> {
  const root = join(import.meta.dirname, '..', '..');
  const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-planted-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  cpSync(join(root, 'lambdas'), join(folder, 'lambdas'), { recursive: true });
  const client = join('test', 'support', 'doitApi.ts');
  cpSync(join(root, client), join(folder, client));
  for (const { file, from, to } of changes) {
    const path = join(folder, 'lambdas', file);
    const pieces = readFileSync(path, 'utf8').split(from);
    if (pieces.length !== 2)
      throw new Error(`The planted bug “${name}” fits ${pieces.length - 1} places in ${file} instead of one.`);
    writeFileSync(path, pieces.join(to));
  }
  const load = async (file: string) => await import(pathToFileURL(join(folder, file)).href);
  const [api, consume, ingest, report, work] = await Promise.all(
    [client, ...['consume', 'ingest/ingest', 'report/report', 'worker/work'].map((file) => `lambdas/${file}.ts`)].map(
      load,
    ),
  );
  const system: System = {
    connectDoitApi: api?.['connectDoitApi'] ?? production.connectDoitApi,
    consume: consume?.['consume'] ?? production.consume,
    ingest: ingest?.['ingest'] ?? production.ingest,
    report: report?.['report'] ?? production.report,
    work: work?.['work'] ?? production.work,
  };
  return { system, close: () => rmSync(folder, { recursive: true, force: true }) };
}
