/**
 * The DoiT API key, from the environment variable that DoiT's own command-line tool uses.
 */

/** Reads it at each call, and says nothing of its value. */
export async function readApiKey(): Promise<string> {
  const key = process.env['DCI_API_KEY'];
  if (key === undefined || key === '') throw new Error('DCI_API_KEY is not set. It must hold the API key.');
  return key;
}
