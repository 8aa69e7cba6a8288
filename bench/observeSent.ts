/**
 * Sees what the clients of the AWS SDK send in this process.
 */

export interface Sent {
  readonly client: unknown;
  /** Such as `PutObject`. */
  readonly name: string;
  readonly input: unknown;
  readonly hasFailed: boolean;
  /** Of a receive that found none, and of every other request, 0. */
  readonly messages: number;
}

/** @param onSent Told of each request when its answer is there. */
export function observeSent(client: { readonly prototype: { send: unknown } }, onSent: (sent: Sent) => void): void {
  const send = client.prototype.send as (
    this: unknown,
    ...args: unknown[]
  ) => Promise<{ readonly Messages?: readonly unknown[] }>;
  client.prototype.send = async function (this: unknown, command: { readonly input: unknown }, ...rest: unknown[]) {
    const name = command.constructor.name.replace(/Command$/u, '');
    const sent = { client: this, name, input: command.input };
    try {
      const answer = await send.call(this, command, ...rest);
      onSent({ ...sent, hasFailed: false, messages: answer.Messages?.length ?? 0 });
      return answer;
    } catch (error) {
      onSent({ ...sent, hasFailed: true, messages: 0 });
      throw error;
    }
  };
}

/** A receive without a message is not counted: how often Lambda asks in vain depends on time and not on rows. */
export function isInVain({ name, messages }: Sent): boolean {
  return name === 'ReceiveMessage' && messages === 0;
}
