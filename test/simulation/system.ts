/**
 * The code under simulation: the production use cases, or a copy of them with a planted bug.
 */

import { consume } from '../../lambdas/consume.ts';
import { ingest } from '../../lambdas/ingest/ingest.ts';
import { report } from '../../lambdas/report/report.ts';
import { work } from '../../lambdas/worker/work.ts';
import { connectDoitApi } from '../support/doitApi.ts';

export interface System {
  readonly connectDoitApi: typeof connectDoitApi;
  readonly consume: typeof consume;
  readonly ingest: typeof ingest;
  readonly report: typeof report;
  readonly work: typeof work;
}

export const production: System = { connectDoitApi, consume, ingest, report, work };
