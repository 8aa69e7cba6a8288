/**
 * Changes the environment of this process, which is where SDKs and functions look for their settings.
 */

/** A variable without a value is taken out of the environment. */
export function setVariables(values: Readonly<Record<string, string | number | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = String(value);
  }
}
