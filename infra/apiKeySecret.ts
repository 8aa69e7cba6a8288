/**
 * The secret that holds the API key: an existing one, or a new one without any value. The key itself is in no template.
 */
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Settings } from './settings.ts';

export interface ApiKeySecret {
  readonly arn: string;
  /** What a function needs that reads it. */
  readonly readStatements: readonly PolicyStatement[];
}

export function addApiKeySecret(scope: Construct, settings: Settings): ApiKeySecret {
  const { apiKeySecretArn, apiKeySecretKmsKeyArn } = settings;
  const arn = apiKeySecretArn ?? newSecret(scope);
  const read = new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [arn] });
  if (apiKeySecretKmsKeyArn === undefined) return { arn, readStatements: [read] };
  const decrypt = new PolicyStatement({
    actions: ['kms:Decrypt'],
    resources: [apiKeySecretKmsKeyArn],
    conditions: {
      StringEquals: { 'kms:ViaService': `secretsmanager.${regionOf(apiKeySecretKmsKeyArn)}.amazonaws.com` },
    },
  });
  return { arn, readStatements: [read, decrypt] };
}

function regionOf(arn: string): string {
  return arn.split(':')[3] ?? '';
}

/** The usual construct would fill it with a random password; this one stays empty until a person fills it. */
function newSecret(scope: Construct): string {
  const secret = new CfnSecret(scope, 'ApiKey', {
    description: `The API key of DoiT for the stack ${Aws.STACK_NAME}, and nothing else.`,
  });
  secret.applyRemovalPolicy(RemovalPolicy.DESTROY);
  acknowledge(
    secret,
    'AwsSolutions-SMG4',
    'The key is made in the console of DoiT, which has no way for AWS to rotate it; docs/operating.md says how people do.',
  );
  return secret.ref;
}
