/**
 * The names of what a deployed stack tells: the command finds the stack's parts by them.
 */
export const outputNames = {
  bucket: 'BucketName',
  /** To be asked whether messages were given up. */
  uploadsDeadLettersUrl: 'UploadsDeadLettersUrl',
  chunksDeadLettersUrl: 'ChunksDeadLettersUrl',
  reportsDeadLettersUrl: 'ReportsDeadLettersUrl',
  /** To be redriven. */
  uploadsDeadLettersArn: 'UploadsDeadLettersArn',
  chunksDeadLettersArn: 'ChunksDeadLettersArn',
  reportsDeadLettersArn: 'ReportsDeadLettersArn',
  uploaderPolicyArn: 'UploaderPolicyArn',
  readerPolicyArn: 'ReaderPolicyArn',
  /** All that the command needs, but for decisions about jobs. */
  commandPolicyArn: 'CommandPolicyArn',
  /** All that those need who approve, reject and cancel jobs. */
  approverPolicyArn: 'ApproverPolicyArn',
  /** There where the settings name a principal. */
  uploaderRoleArn: 'UploaderRoleArn',
  readerRoleArn: 'ReaderRoleArn',
  approverRoleArn: 'ApproverRoleArn',
  apiKeySecretArn: 'ApiKeySecretArn',
  /** The one command that fills the secret; there where the stack has made it. */
  fillApiKey: 'FillApiKey',
  /** To be switched off and on again, in order to pause. */
  ingestSourceId: 'IngestSourceId',
  workerSourceId: 'WorkerSourceId',
  alarmTopicArn: 'AlarmTopicArn',
  dashboardUrl: 'DashboardUrl',
} as const;
