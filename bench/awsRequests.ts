/**
 * Requests to S3 and SQS, from their names to what they are charged as.
 */

export interface AwsRequests {
  readonly s3Writes: number;
  readonly s3Reads: number;
  readonly sqsRequests: number;
  readonly invocations: number;
}

/** @param counts How often each was sent, by its name in the SDK without `Command`. */
export function sumRequests(counts: Readonly<Record<string, number>>): AwsRequests {
  const sum = (...names: string[]) => names.reduce((total, name) => total + (counts[name] ?? 0), 0);
  return {
    s3Writes: sum('PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'ListObjectsV2'),
    s3Reads: sum('GetObject', 'HeadObject'),
    sqsRequests: sum('SendMessageBatch', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility'),
    invocations: sum('ReceiveMessage'),
  };
}
