/**
 * Secrets Manager with one secret, as far as the functions use it.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SecretsServer {
  readonly url: string;
  /** What the secret holds; undefined where it was never filled. */
  value: string | undefined;
  close(): void;
}

export async function startSecretsServer(): Promise<SecretsServer> {
  const server = createServer(async (request, response) => {
    await Array.fromAsync(request);
    const isKnown = request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue' && secrets.value !== undefined;
    response.writeHead(isKnown ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(isKnown ? { SecretString: secrets.value } : { __type: 'ResourceNotFoundException' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const secrets: SecretsServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    value: undefined,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return secrets;
}
