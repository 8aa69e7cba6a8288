/**
 * A moment for people: date, time and time zone of this machine.
 */
const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

export function describeMoment(atMs: number): string {
  return format.format(atMs);
}
