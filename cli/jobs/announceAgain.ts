/**
 * Writes what is written already once more, so that the bucket tells of it again: a message that was lost, or was given up,
 * must not leave a decision without effect.
 */
import { ledgerLimits } from '../../lambdas/core/limits.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';

/** Does nothing where there is nothing, or somebody changes it in the same moment: then the bucket tells of that. */
export async function announceAgain(store: ObjectStore, key: string): Promise<void> {
  const stored = await store.readText(key, ledgerLimits.recordBytesMax);
  if (stored !== undefined) await store.put(key, stored.text, { kind: 'if_match', etag: stored.etag });
}
