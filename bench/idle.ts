/**
 * What the stack costs when nothing happens: what is in its template, at list prices (`prices.ts`).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Figure, figure, noTarget } from './figure.ts';
import { dollars, inDollars } from './prices.ts';
import { withWorkspace } from './workspace.ts';

/**
 * Lambda asks a queue over five connections, each of which waits for twenty seconds.
 *
 * Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS", standard queues.
 */
const pollsOfQueue = (5 * 30 * 24 * 3600) / 20;

const roster = { name: 'acme', schedule: 'rate(1 day)' };

const templateSchema = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

interface Idle {
  readonly alarms: number;
  readonly secrets: number;
  readonly fedQueues: number;
}

export async function idle(): Promise<Figure[]> {
  const plain = await countInTemplate([]);
  const withRosters = await countInTemplate([roster]);
  return [
    figure('alarms', plain.alarms, noTarget),
    figure('alarms, with rosters', withRosters.alarms, noTarget),
    figure('price of the alarms', plain.alarms * dollars.alarmMonth, noTarget, inDollars),
    figure('looks into the queues', plain.fedQueues * pollsOfQueue, noTarget),
    figure('price of the looks', plain.fedQueues * pollsOfQueue * dollars.sqsRequest, noTarget, inDollars),
    figure('price of the secret', plain.secrets * dollars.secretMonth, noTarget, inDollars),
    figure('price of a month', priceOfMonth(plain), noTarget, inDollars),
    figure('price of a month, with rosters', priceOfMonth(withRosters), noTarget, inDollars),
  ];
}

function priceOfMonth({ alarms, secrets, fedQueues }: Idle): number {
  return alarms * dollars.alarmMonth + secrets * dollars.secretMonth + fedQueues * pollsOfQueue * dollars.sqsRequest;
}

async function countInTemplate(rosters: readonly (typeof roster)[]): Promise<Idle> {
  // Loaded only here: it takes longer than all the rest, and memory that others measure.
  const [{ App }, { readSettings }, { bulkInviteStack }] = await Promise.all([
    import('aws-cdk-lib'),
    import('../infra/settings.ts'),
    import('../infra/stack.ts'),
  ]);
  return await withWorkspace(async ({ folder }) => {
    const bundle = join(folder, 'bundle');
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'index.mjs'), '');
    const app = new App({ context: featureFlags(), outdir: join(folder, 'cdk.out') });
    const stack = bulkInviteStack(app, readSettings(rosters.length === 0 ? {} : { rosters }), () => bundle);
    const { template } = app.synth().getStackArtifact(stack.artifactId);
    const types = Object.values(templateSchema.parse(template).Resources).map(({ Type }) => Type);
    const count = (type: string) => types.filter((found) => found === type).length;
    return {
      alarms: count('AWS::CloudWatch::Alarm'),
      secrets: count('AWS::SecretsManager::Secret'),
      fedQueues: count('AWS::Lambda::EventSourceMapping'),
    };
  });
}

/** They change what the constructs make. */
function featureFlags(): Record<string, unknown> {
  const text = readFileSync(new URL('../cdk.json', import.meta.url), 'utf8');
  return z.object({ context: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text)).context;
}
