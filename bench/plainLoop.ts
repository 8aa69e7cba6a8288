/**
 * Run as a process of its own: invites people with a plain loop, several calls at once, and with nothing else around it.
 *
 *   node plainLoop.ts <url> <how many people> <calls at once>
 */
import { inventEmails } from './people.ts';

const [url = '', count = '', concurrency = ''] = process.argv.slice(2);

// One queue, from which every loop takes its next address.
const emails = inventEmails('plain', Number(count)).values();
await Promise.all(Array.from({ length: Number(concurrency) }, inviteAll));

async function inviteAll(): Promise<void> {
  for (const email of emails) {
    const response = await fetch(`${url}/iam/v1/users/invite`, {
      method: 'POST',
      headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
      body: JSON.stringify({ email }),
    });
    await response.text();
    if (response.status !== 201) throw new Error(`The sandbox answered ${response.status}.`);
  }
}
