/**
 * The embedded services of a data folder, and a client that is made for them and for nobody else.
 */
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { s3ObjectStore } from '../../lambdas/adapters/s3ObjectStore.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { setVariables } from '../setVariables.ts';
import { bucketName, type EmbeddedServices, startEmbeddedServices } from './embeddedServices.ts';

export interface LocalStorage {
  readonly services: EmbeddedServices;
  readonly store: ObjectStore;
  readonly s3: S3Client;
  readonly bucket: string;
  close(): Promise<void>;
}

/** From now on, every client of AWS in this process means the embedded services. */
export async function openLocalStorage(dataFolder: string): Promise<LocalStorage> {
  const services = await startEmbeddedServices(dataFolder);
  const { endpoint, credentials } = services;
  setVariables({
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL: endpoint,
    // What a person has set for real AWS must not reach the embedded services.
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ENDPOINT_URL_SQS: endpoint,
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_CONFIG_FILE: join(dataFolder, 'no-aws-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(dataFolder, 'no-aws-config'),
  });
  const s3 = new S3Client();
  return {
    services,
    store: s3ObjectStore(s3, bucketName),
    s3,
    bucket: bucketName,
    close: async () => {
      s3.destroy();
      await services.close();
    },
  };
}
