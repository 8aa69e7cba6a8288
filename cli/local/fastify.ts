/**
 * The parts of Fastify that are used of the server inside fauxqs, which is Fastify's documented interface.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

export interface FastifyRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface FastifyReply {
  readonly statusCode: number;
  code(status: number): FastifyReply;
  type(contentType: string): FastifyReply;
  send(body: string): FastifyReply;
}

export interface FastifyInstance {
  addHook(name: 'preHandler' | 'onSend', hook: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): unknown;
  inject(request: { readonly method: 'HEAD'; readonly url: string }): Promise<{ statusCode: number; headers: OutgoingHttpHeaders }>;
  listen(options: { readonly port: number; readonly host: string }): Promise<string>;
}
