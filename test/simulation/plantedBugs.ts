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
    caughtBy: 'no_second_invitation',
    kinds: ['frozen', 'message_visible_too_soon'],
    changes: [
      {
        file: 'worker/rowCaller.ts',
        from: 'if (clock.now() + callTimeoutMs <= chunk.leaseEndsAtMs) return;',
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
        from: 'if (clock.now() + callTimeoutMs <= chunk.leaseEndsAtMs) return;',
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
        from: 'await createChunk(store, job.jobId, newChunk(job, chunks, newToken(), snapshot, waiting));',
        to: 'void createChunk(store, job.jobId, newChunk(job, chunks, newToken(), snapshot, waiting)).catch(() => 0);',
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
        from: 'const manifest = (await readManifest(store, job.jobId)) ?? (await readUpload(job, ports));',
        to: "const known = await readManifest(store, job.jobId); if (known !== undefined) return { kind: 'done' }; const manifest = await readUpload(job, ports);",
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
        file: 'ingest/ingest.ts',
        from: '    await checkCompletion(store, ports.reportsQueue, job.jobId);\n    return',
        to: '    return',
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
  for (const { file, from, to } of changes) {
    const path = join(folder, 'lambdas', file);
    const pieces = readFileSync(path, 'utf8').split(from);
    if (pieces.length !== 2)
      throw new Error(`The planted bug “${name}” fits ${pieces.length - 1} places in ${file} instead of one.`);
    writeFileSync(path, pieces.join(to));
  }
  const load = async (file: string) => await import(pathToFileURL(join(folder, 'lambdas', file)).href);
  const [api, consume, ingest, report, work] = await Promise.all(
    ['adapters/doitApi.ts', 'consume.ts', 'ingest/ingest.ts', 'report/report.ts', 'worker/work.ts'].map(load),
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
