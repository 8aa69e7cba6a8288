/**
 * Who wants a job to end. The stop does not wait long for the answer: calls go on meanwhile.
 */
import { decisionLimits } from '../limits.ts';
import type { Place } from '../place/place.ts';
import { UserError } from '../userError.ts';

const unnamed = 'somebody whom AWS has not named';

/** Where AWS does not say in time who it is, the job is ended all the same. */
export async function whoEnds({ whoAmI }: Pick<Place, 'whoAmI'>, waitMs = decisionLimits.nameWaitMs): Promise<string> {
  const late = AbortSignal.timeout(waitMs);
  return await whoAmI(late).catch((error: unknown) => {
    if (error instanceof UserError || late.aborted) return unnamed;
    throw error;
  });
}
