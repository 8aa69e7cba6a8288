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
  getHeader(name: string): unknown;
  code(status: number): FastifyReply;
  type(contentType: string): FastifyReply;
  send(body: string): FastifyReply;
}

export interface FastifyInstance {
  addHook(
    name: 'onRequest' | 'preHandler',
    hook: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
  ): unknown;
  /** Must call `done` before it returns: the handlers of fauxqs are answered a second time while a hook is waiting. */
  addHook(
    name: 'onSend',
    hook: (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: () => void) => void,
  ): unknown;
  inject(request: {
    readonly method: 'HEAD';
    readonly url: string;
    readonly headers: { readonly authorization: string };
  }): Promise<{ statusCode: number; headers: OutgoingHttpHeaders }>;
  listen(options: { readonly port: number; readonly host: string }): Promise<string>;
}
