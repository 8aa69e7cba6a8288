/**
 * How the secret with the API key is filled. The stack prints it, and the error for an empty secret repeats it.
 */

/** A command that takes the key from standard input: it is then neither in the shell's history nor in a list of processes. */
export function fillSecretCommand(secretArn: string, region: string): string {
  return `aws secretsmanager put-secret-value --region ${region} --secret-id ${secretArn} --secret-string file:///dev/stdin`;
}
