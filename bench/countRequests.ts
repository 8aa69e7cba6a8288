/**
 * Runs one job on a local host, and prints what AWS would have been asked for it: the requests of the three functions and of
 * the queues that feed them, as JSON, behind the log and the metrics of the functions. Started by `requests.ts`, in a process
 * of its own:
 *
 *   node bench/countRequests.ts <folder> <file> <address of the API> <calls at once in each worker>
 */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Upload } from '@aws-sdk/lib-storage';
import { type LocalHost, startLocalHost } from '../cli/local/localHost.ts';
import { incomingPrefix, reportsPrefix } from '../lambdas/core/keys.ts';
import { isInVain, observeSent } from './observeSent.ts';

const lookEveryMs = 200;

const [folder = '', file = '', apiUrl = '', concurrency = ''] = process.argv.slice(2);
const counts: Record<string, number> = {};

const host = await startLocalHost({
  dataFolder: folder,
  apiUrl,
  apiKey: 'bench',
  workers: 2,
  concurrency: Number(concurrency),
  invitesGone: false,
  allowedDomains: [],
  newPeopleMax: 1_000_000,
});
process.env['POWERTOOLS_METRICS_DISABLED'] = 'false';
process.env['POWERTOOLS_METRICS_NAMESPACE'] = 'BulkInvite/bench';
await upload(host, file);
observeSent(S3Client, ({ client, name }) => {
  if (client !== host.s3) count(name);
});
observeSent(SQSClient, (sent) => {
  if (!isInVain(sent)) count(sent.name);
});
const ended = new AbortController();
const running = host.run(ended.signal);
await Promise.race([running, reported(host)]);
ended.abort();
await running;
await host.close();
console.log(JSON.stringify(counts));

function count(what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

async function upload({ s3, bucket }: LocalHost, path: string): Promise<void> {
  const params = { Bucket: bucket, Key: `${incomingPrefix}${basename(path)}`, Body: createReadStream(path) };
  await new Upload({ client: s3, params }).done();
  await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: params.Key }));
}

async function reported({ store }: LocalHost): Promise<void> {
  for (;;) {
    await wait(lookEveryMs);
    for await (const { key } of store.list(reportsPrefix)) if (key.endsWith('/summary.json')) return;
  }
}
