/**
 * Options as a person types them again behind a command, with a blank in front of each.
 */

export function optionsText(options: Readonly<Record<string, string | true | undefined>>): string {
  return Object.entries(options)
    .map(([name, value]) => {
      if (value === undefined) return '';
      return value === true
        ? ` --${name}`
        : ` --${name} ${/^[\w./:@+-]+$/u.test(value) ? value : JSON.stringify(value)}`;
    })
    .join('');
}
