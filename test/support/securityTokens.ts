/**
 * The Security Token Service on the loopback address, as far as it says who asks.
 *
 * Source: AWS Security Token Service API Reference, `GetCallerIdentity`.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { failure } from './cloudFormation.ts';

export interface SecurityTokens {
  readonly url: string;
  close(): Promise<void>;
}

/** @param arn Of whoever asks; undefined for somebody whose sign-in has expired. */
export async function startSecurityTokens(arn: string | undefined): Promise<SecurityTokens> {
  const identity =
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
    `<Arn>${arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account>` +
    '</GetCallerIdentityResult></GetCallerIdentityResponse>';
  const { status, body } =
    arn === undefined ? failure(403, 'ExpiredToken', 'The security token is expired') : { status: 200, body: identity };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
