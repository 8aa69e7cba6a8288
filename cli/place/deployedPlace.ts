/**
 * A deployed stack as the place where the command works, with the credentials, the region and the profile of the person.
 */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { s3ObjectStore } from '../../lambdas/adapters/s3ObjectStore.ts';
import { systemClock } from '../../lambdas/adapters/systemClock.ts';
import { awsLimits, followLimits } from '../limits.ts';
import { setVariables } from '../setVariables.ts';
import { untilAborted } from '../untilAborted.ts';
import { UserError } from '../userError.ts';
import { type AwsContext, speakInSentences } from './awsSentences.ts';
import { bucketListing } from './bucketListing.ts';
import { describeDeadLetters } from './deadLetters.ts';
import { findStack } from './findStack.ts';
import { optionsText } from './optionsText.ts';
import type { Attendance, Place } from './place.ts';
import { signUploadLink } from './signUploadLink.ts';
import { uploadToStack } from './uploadToStack.ts';

export interface DeployedOptions {
  readonly stack?: string;
  readonly region?: string;
  readonly profile?: string;
}

const defaultStack = 'bulk-invite';

/** @throws UserError where there are no credentials, no region, no such stack, or no permission to look for it. */
export async function openDeployedPlace(options: DeployedOptions): Promise<Place> {
  const stack = options.stack ?? (process.env['BULK_INVITE_STACK'] || defaultStack);
  const config = await awsConfig(options);
  const context: AwsContext = {
    stack,
    region: config.region,
    ...(options.profile === undefined ? {} : { profile: options.profile }),
  };
  const { BucketName: bucket, ...outputs } = await findStack(config, context);
  const policies = {
    uploader: outputs.UploaderPolicyArn,
    reader: outputs.ReaderPolicyArn,
    command: outputs.CommandPolicyArn,
    ...(outputs.ApproverPolicyArn === undefined ? {} : { approver: outputs.ApproverPolicyArn }),
  };
  const deadLetterQueues = {
    uploads: outputs.UploadsDeadLettersUrl,
    chunks: outputs.ChunksDeadLettersUrl,
    reports: outputs.ReportsDeadLettersUrl,
  };
  const s3 = new S3Client(config);
  const sqs = new SQSClient(config);
  for (const client of [s3, sqs]) speakInSentences(client, { ...context, policies });
  const store = s3ObjectStore(s3, bucket);
  const again = optionsText({ stack: options.stack, region: options.region, profile: options.profile });
  return {
    name: `the stack “${stack}” in ${config.region}`,
    options: again,
    bucket,
    store,
    listing: bucketListing(s3, bucket),
    notedRuns: async function* () {},
    lookEveryMs: followLimits.lookEveryDeployedMs,
    showEveryMs: followLimits.sayEveryMs,
    submit: (file, request) => uploadToStack(file, request, s3, bucket, store),
    worksByItself: true,
    neighboursOf: async () => [],
    now: systemClock.now,
    whoAmI: (signal) => callerArn(config, { ...context, policies }, signal),
    attend: async () => attendance(again),
    createLink: (key, expirySeconds) => signUploadLink(config, bucket, key, expirySeconds),
    givenUp: () => describeDeadLetters(sqs, deadLetterQueues),
    noteDelivered: async () => undefined,
    close: async () => {
      s3.destroy();
      sqs.destroy();
    },
  };
}

/** What the AWS command line takes, too: options first, then the environment, then the profile. */
async function awsConfig({ region: chosen, profile }: DeployedOptions) {
  // A profile that is named outranks keys in the environment, as it does for the AWS command line.
  if (profile !== undefined)
    setVariables({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_SESSION_TOKEN: undefined });
  const region = chosen ?? (process.env['AWS_REGION'] || process.env['AWS_DEFAULT_REGION']);
  const config = {
    maxAttempts: awsLimits.triesMax,
    requestHandler: { connectionTimeout: awsLimits.connectMs, socketTimeout: awsLimits.idleMs },
    ...(profile === undefined ? {} : { profile }),
    ...(region ? { region } : {}),
  };
  const client = new CloudFormationClient(config);
  try {
    return { ...config, region: await client.config.region() };
  } catch (cause) {
    throw new UserError(
      'There is no AWS region: neither in --region nor in AWS_REGION nor in the profile. ' +
        'Name the one that the stack was deployed in, for example --region eu-west-1; or add --local for the jobs of this machine.',
      { cause },
    );
  } finally {
    client.destroy();
  }
}

/** Every identity may ask who it is. */
async function callerArn(
  config: ConstructorParameters<typeof STSClient>[0],
  context: AwsContext,
  signal: AbortSignal | undefined,
): Promise<string> {
  const client = new STSClient(config ?? {});
  speakInSentences(client, context);
  try {
    const options = signal === undefined ? {} : { abortSignal: signal };
    const { Arn } = await client.send(new GetCallerIdentityCommand({}), options);
    if (Arn === undefined)
      throw new UserError('AWS does not say who you are (GetCallerIdentity). Try again in a moment.');
    return Arn;
  } finally {
    client.destroy();
  }
}

/** The functions run on AWS, whether somebody watches or not. */
function attendance(again: string): Attendance {
  return {
    run: (_job, signal) => untilAborted(signal),
    obstacle: () => undefined,
    stopped: ({ jobId }) =>
      `The job goes on without you. To watch it again, and to fetch its report: npx bulk-invite watch ${jobId}${again}`,
    close: async () => undefined,
  };
}
