/**
 * Finds the parts of a deployed stack through its CloudFormation outputs.
 */
import { CloudFormationClient, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { outputNames } from '../../infra/outputs.ts';
import { UserError } from '../userError.ts';
import { type AwsContext, speakInSentences } from './awsSentences.ts';

const text = z.string().min(1);

/** The outputs that the command needs. */
const outputsSchema = z.object({
  [outputNames.bucket]: text,
  [outputNames.uploaderPolicyArn]: text,
  [outputNames.readerPolicyArn]: text,
  [outputNames.commandPolicyArn]: text,
  /** Absent in a stack of a version that held nothing. */
  [outputNames.approverPolicyArn]: text.optional(),
  [outputNames.uploadsDeadLettersUrl]: text,
  [outputNames.chunksDeadLettersUrl]: text,
  [outputNames.reportsDeadLettersUrl]: text,
});

export type StackOutputs = z.output<typeof outputsSchema>;

/** @throws UserError where there is no such stack, or it is not one of ours. */
export async function findStack(
  config: ConstructorParameters<typeof CloudFormationClient>[0],
  context: AwsContext,
): Promise<StackOutputs> {
  const client = new CloudFormationClient(config ?? {});
  speakInSentences(client, context);
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: context.stack }));
    if (stack === undefined) throw new UserError(`CloudFormation says nothing of the stack “${context.stack}”.`);
    return readOutputs(stack, context);
  } finally {
    client.destroy();
  }
}

function readOutputs(
  { Outputs = [], StackStatus = 'CREATE_COMPLETE' }: Stack,
  { stack, region }: AwsContext,
): StackOutputs {
  const found = Object.fromEntries(Outputs.map(({ OutputKey = '', OutputValue }) => [OutputKey, OutputValue]));
  const result = outputsSchema.safeParse(found);
  if (result.success) return result.data;
  if (StackStatus.endsWith('_IN_PROGRESS') || StackStatus.startsWith('ROLLBACK'))
    throw new UserError(
      `The stack “${stack}” in ${region} is not there yet, or no longer: its status is ${StackStatus}. ` +
        'Wait until its deployment has ended, or deploy it again.',
    );
  const missing = result.error.issues.map(({ path }) => path.join('.')).join(', ');
  const there = Object.keys(found).join(', ') || 'none';
  throw new UserError(
    `The stack “${stack}” in ${region} is not one of bulk-invite: it lacks the outputs ${missing} (it has: ${there}). ` +
      'Name the right one with --stack. If it is the right one, it is of an older version: deploy it again.',
  );
}
