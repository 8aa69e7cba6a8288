/**
 * CloudFormation on the loopback address, as far as `DescribeStacks` goes: each stack's name decides the answer.
 *
 * Source: AWS CloudFormation API Reference, `DescribeStacks` and Common Errors.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface CloudFormation {
  readonly url: string;
  /** What was asked, as it came. */
  readonly requests: { readonly authorization: string; readonly stack: string }[];
  close(): Promise<void>;
}

export async function startCloudFormation(answers: Readonly<Record<string, Answer>>): Promise<CloudFormation> {
  const requests: CloudFormation['requests'] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const stack = new URLSearchParams(await text(request)).get('StackName') ?? '';
    requests.push({ authorization: request.headers.authorization ?? '', stack });
    const { status, body } = answers[stack] ?? failure(400, 'ValidationError', `Stack with id ${stack} does not exist`);
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

export function stackWith(outputs: Readonly<Record<string, string>>, status = 'CREATE_COMPLETE'): Answer {
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return {
    status: 200,
    body:
      '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>' +
      `<StackName>any</StackName><CreationTime>2026-01-31T07:05:00.000Z</CreationTime><StackStatus>${status}</StackStatus>` +
      `<Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
  };
}

export function failure(status: number, code: string, message: string): Answer {
  return {
    status,
    body:
      '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>' +
      `<Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  };
}

/** What our stack tells of itself, with the queues of the embedded services. */
export function ourOutputs(bucket: string, sqsUrl: string): Record<string, string> {
  const deadLetters = (queue: string) => `${sqsUrl}/000000000000/${queue}-dead-letters`;
  return {
    BucketName: bucket,
    UploaderPolicyArn: 'arn:aws:iam::123456789012:policy/uploader',
    ReaderPolicyArn: 'arn:aws:iam::123456789012:policy/reader',
    CommandPolicyArn: 'arn:aws:iam::123456789012:policy/command',
    ApproverPolicyArn: 'arn:aws:iam::123456789012:policy/approver',
    UploadsDeadLettersUrl: deadLetters('uploads'),
    ChunksDeadLettersUrl: deadLetters('chunks'),
    ReportsDeadLettersUrl: deadLetters('reports'),
    DashboardUrl: 'https://eu-west-1.console.aws.amazon.com/',
  };
}
