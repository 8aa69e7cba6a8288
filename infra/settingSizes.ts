/**
 * How much the settings may say. What is too long here would make a deployment fail in its middle, with a message of AWS that
 * does not name the setting.
 */

const kibibyte = 1024;

export const settingSizes = {
  /** Lambda takes so much for names and values of the environment of a function, as JSON. */
  environmentBytesMax: 4 * kibibyte,
  /** All settings that end there together; the rest is for what the stack itself says, with the longest names of AWS. */
  toldBytesMax: 2900,
  /** About 150 domains. */
  domainsBytesMax: 2500,
  /** The description of an alarm may have 1,024 characters, and says more than where to read on. */
  runbookCharactersMax: 900,
  /** What is sent at each time of a roster, as it stands in the template, which may have 1 MB. Who sends it would take more. */
  rosterBytesMax: 2 * kibibyte,
  /** Each is a resource of the stack, which may have 500. */
  rostersMax: 200,
} as const;

/** Says so where there are too many domains for the environment of a function. */
export function refusalOfDomains(domains: readonly string[]): string | undefined {
  const bytes = jsonBytes(domains.join(','));
  const { domainsBytesMax } = settingSizes;
  if (bytes <= domainsBytesMax) return undefined;
  return (
    `has ${domains.length} domains, which take ${bytes} bytes, and at most ${domainsBytesMax} fit into the environment of a ` +
    'function. Name fewer, share them among several stacks, or leave the setting out: then addresses of all domains are taken.'
  );
}

/**
 * Says so where settings that are each short enough do not fit together.
 *
 * @param told The settings that end in the environment of one function, by name.
 */
export function refusalOfAll(told: Readonly<Record<string, string>>): string | undefined {
  const sizes = Object.entries(told)
    .map(([name, value]) => ({ name, bytes: jsonBytes(value) }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const { toldBytesMax } = settingSizes;
  if (total <= toldBytesMax) return undefined;
  const listed = sizes.map(({ name, bytes }) => `“${name}” ${bytes}`).join(', ');
  return (
    `The settings that a function is told in its environment take ${total} bytes (${listed}), and at most ${toldBytesMax} fit. ` +
    'Shorten the longest.'
  );
}

/** Of a text in JSON, without the quotes around it. */
export function jsonBytes(value: string): number {
  return Buffer.byteLength(JSON.stringify(value)) - 2;
}
