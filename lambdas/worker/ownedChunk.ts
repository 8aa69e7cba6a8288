/**
 * A chunk that this worker owns: its rows as they stand in memory, and the conditional writes that save them and renew
 * the lease. Once a write finds that another worker has changed the chunk, it is lost.
 */
import { type AnswerKind, type ApiCalls, addApiCall, type Operation } from '../core/apiCalls.ts';
import type { Chunk } from '../core/chunk.ts';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import type { RowProgress } from '../core/rowProgress.ts';
import { replaceChunk } from '../ledger/chunk.ts';
import type { Clock, NewToken, ObjectStore } from '../ports.ts';

export interface OwnedChunkPorts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly newToken: NewToken;
}

export class OwnedChunk {
  readonly jobId: JobId;
  readonly #ports: OwnedChunkPorts;
  readonly #leaseMs: number;
  readonly #rows: RowProgress[];
  #chunk: Chunk;
  #etag: string;
  #apiCalls: ApiCalls;

  private constructor(jobId: JobId, chunk: Chunk, etag: string, leaseMs: number, ports: OwnedChunkPorts) {
    this.jobId = jobId;
    this.#chunk = chunk;
    this.#etag = etag;
    this.#leaseMs = leaseMs;
    this.#ports = ports;
    this.#rows = [...chunk.rows];
    this.#apiCalls = chunk.apiCalls;
  }

  /** Writes the claim. Undefined where another worker was faster. */
  static async claim(
    jobId: JobId,
    claimed: Chunk,
    etag: string,
    leaseMs: number,
    ports: OwnedChunkPorts,
  ): Promise<OwnedChunk | undefined> {
    const chunk = { ...claimed, token: ports.newToken() };
    const newEtag = await replaceChunk(ports.store, jobId, chunk, etag);
    return newEtag === undefined ? undefined : new OwnedChunk(jobId, chunk, newEtag, leaseMs, ports);
  }

  /** The chunk with everything that is known by now. */
  get chunk(): Chunk {
    return { ...this.#chunk, rows: [...this.#rows], apiCalls: this.#apiCalls };
  }

  /** Whether another job may invite the same people. */
  get overlaps(): boolean {
    return this.#chunk.overlaps;
  }

  get leaseEndsAtMs(): number {
    const { state } = this.#chunk;
    if (state.kind !== 'running') throw new BrokenInvariant(`A chunk that is ${state.kind} has no lease.`);
    return state.leaseEndsAtMs;
  }

  row(index: number): RowProgress {
    const row = this.#rows[index];
    if (row === undefined) throw new BrokenInvariant(`The chunk has no row with index ${index}.`);
    return row;
  }

  setRow(index: number, row: RowProgress): void {
    this.#rows[index] = row;
  }

  countApiCall(operation: Operation, answer: AnswerKind): void {
    this.#apiCalls = addApiCall(this.#apiCalls, operation, answer);
  }

  /** Another job may invite the same people from now on. It stays so: what it did will not be undone. */
  noteOverlap(): void {
    this.#chunk = { ...this.#chunk, overlaps: true };
  }

  /** The API has answered again: the outage is over. */
  forgetOutage(): void {
    const { outage: _outage, ...rest } = this.#chunk;
    this.#chunk = rest;
  }

  /** Saves the progress and renews the lease. False where the chunk is lost. */
  async save(): Promise<boolean> {
    const { state } = this.#chunk;
    if (state.kind !== 'running') throw new BrokenInvariant(`A chunk that is ${state.kind} cannot be saved.`);
    return await this.replace({
      ...this.chunk,
      state: { ...state, leaseEndsAtMs: this.#ports.clock.now() + this.#leaseMs },
    });
  }

  /** Writes the chunk in its next state. False where it is lost. Writes must not overlap. */
  async replace(next: Chunk): Promise<boolean> {
    const { store, newToken } = this.#ports;
    const chunk = { ...next, token: newToken() };
    const etag = await replaceChunk(store, this.jobId, chunk, this.#etag);
    if (etag === undefined) return false;
    this.#etag = etag;
    // Rows may have moved on while the write was under way; only what a save decides is taken over.
    const { outage: _outage, ...rest } = chunk;
    const { overlaps, outage } = this.#chunk;
    this.#chunk = { ...rest, overlaps, ...(outage === undefined ? {} : { outage }) };
    return true;
  }
}
