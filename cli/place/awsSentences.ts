/**
 * Turns what AWS refuses into sentences that say what was asked, what was found and what to do.
 */

import { networkError } from '../networkErrors.ts';
import { UserError } from '../userError.ts';
import { describePermission } from './permissions.ts';

export interface AwsContext {
  readonly stack: string;
  readonly region: string;
  readonly profile?: string;
  /** Which policies of the stack may give a permission that is missing. Unknown until the stack is found. */
  readonly policies?: {
    readonly uploader: string;
    readonly reader: string;
    readonly command: string;
    readonly approver?: string;
  };
}

/** What the SDK's clients have in common, as far as it is used here. */
interface Client {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: { readonly input: object }) => Promise<never>,
        context: { readonly commandName?: string },
      ) => (args: { readonly input: object }) => Promise<never>,
      options: { readonly step: 'initialize'; readonly priority: 'high'; readonly name: string },
    ): void;
  };
}

/** From now on, what the client throws is a UserError, except for answers that the object store knows how to read. */
export function speakInSentences(client: unknown, context: AwsContext): void {
  (client as Client).middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        try {
          return await next(args);
        } catch (error) {
          throw explain(error, commandName, args.input, context);
        }
      },
    { step: 'initialize', priority: 'high', name: 'sentences' },
  );
}

/** Not found, conflict, condition failed. */
const readByTheStore: readonly (number | undefined)[] = [404, 409, 412];

function explain(error: unknown, commandName: string, input: object, context: AwsContext): unknown {
  const { name, message, status } = detailsOf(error);
  if (name === 'NoSuchBucket')
    return new UserError(
      `The bucket of the stack “${context.stack}” is gone. The stack is of no use without it: remove it and deploy a new one.`,
      { cause: error },
    );
  if (readByTheStore.includes(status)) return error;
  const sentence =
    aboutCredentials(name, message, context) ??
    aboutHead(status, commandName, input, context) ??
    aboutPermission(name, status, commandName, input, context) ??
    aboutStack(name, message, context) ??
    aboutNetwork(error, context) ??
    (status === undefined
      ? undefined
      : `AWS answered ${operationOf(commandName)} with ${status} ${name}: ${message} Try again in a moment.`);
  return sentence === undefined ? error : new UserError(sentence, { cause: error });
}

const expired: ReadonlySet<string> = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired']);
const unknownKeys: ReadonlySet<string> = new Set([
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'IncompleteSignature',
]);
const clocks: ReadonlySet<string> = new Set(['RequestTimeTooSkewed', 'SignatureExpired', 'RequestInTheFuture']);
/** What the SDK throws before it asks AWS. */
const providers: ReadonlySet<string> = new Set(['CredentialsProviderError', 'TokenProviderError', 'ProviderError']);

function loginOf({ profile }: AwsContext): string {
  return `aws sso login${profile === undefined ? '' : ` --profile ${profile}`}`;
}

function aboutCredentials(name: string, message: string, context: AwsContext): string | undefined {
  const { profile } = context;
  const login = loginOf(context);
  if (expired.has(name) || (providers.has(name) && /expired|refresh/iu.test(message)))
    return `Your AWS sign-in has expired (${oneLine(message)}). Sign in again, for example with \`${login}\`.`;
  if (providers.has(name))
    return profile === undefined
      ? 'There are no AWS credentials: neither in the environment nor in a default profile. ' +
          `Sign in first, for example with \`${login}\`, or name a profile with --profile.`
      : `The AWS profile “${profile}” gives no credentials (${oneLine(message)}). \`aws configure list-profiles\` lists the profiles that there are; sign in with \`${login}\`.`;
  if (unknownKeys.has(name))
    return `AWS does not accept your credentials (${name}). Were they revoked, or copied in part? Sign in again, for example with \`${login}\`.`;
  if (clocks.has(name)) return `AWS refuses the request because of its time (${name}). Set the clock of this machine.`;
  return undefined;
}

/** The answer to a HEAD has no body, and so says nothing but its status. */
function aboutHead(
  status: number | undefined,
  commandName: string,
  input: object,
  context: AwsContext,
): string | undefined {
  if (commandName !== 'HeadObjectCommand') return undefined;
  const signIn = `Sign in again, for example with \`${loginOf(context)}\``;
  if (status === 400)
    return `S3 answered HeadObject with 400 and no reason; your AWS sign-in may have expired. ${signIn}.`;
  if (status !== 403) return undefined;
  return `${describePermission(commandName, input, context)} Or your AWS sign-in is no longer valid: S3 does not say which of the two it is. ${signIn}, or ask for the permission.`;
}

function aboutPermission(
  name: string,
  status: number | undefined,
  commandName: string,
  input: object,
  context: AwsContext,
): string | undefined {
  const isDenied = status === 403 || /^AccessDenied|^UnauthorizedOperation|^Forbidden$/u.test(name);
  return isDenied ? describePermission(commandName, input, context) : undefined;
}

function aboutStack(name: string, message: string, { stack, region }: AwsContext): string | undefined {
  if (name !== 'ValidationError' || !message.includes('does not exist')) return undefined;
  return (
    `There is no stack “${stack}” in ${region} in this account. Name the right one with --stack, --region or --profile ` +
    '(`aws cloudformation list-stacks` lists what there is), or deploy one: docs/deploy.md.'
  );
}

function aboutNetwork(error: unknown, { region }: AwsContext): string | undefined {
  const found = networkError(error);
  if (found === undefined) return undefined;
  return `AWS cannot be reached in the region ${region} (${found}). Check the network, and the region (--region).`;
}

function detailsOf(error: unknown): { name: string; message: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: '', message: String(error), status: undefined };
  const metadata = '$metadata' in error ? (error.$metadata as { readonly httpStatusCode?: number }) : {};
  return { name: error.name, message: error.message, status: metadata.httpStatusCode };
}

function operationOf(commandName: string): string {
  return commandName.replace(/Command$/u, '');
}

function oneLine(message: string): string {
  return message.replaceAll(/\s+/gu, ' ').replace(/\.$/u, '');
}
