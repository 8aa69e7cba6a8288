/**
 * Text whose encoding was lost before it came to us. It is never sent on.
 */

/** Characters that Windows-1252 has where ISO 8859-1 has none: what follows a leading byte of UTF-8 that was read as it. */
const follower =
  '[\\u0080-\\u00bf\\u0152\\u0153\\u0160\\u0161\\u0178\\u017d\\u017e\\u0192\\u02c6\\u02dc\\u2013-\\u2026\\u2030\\u2039\\u203a\\u20ac\\u2122]';
/** Replacement characters, controls, signs that no name has, orders to write backwards, and UTF-8 that was once read as Windows-1252. */
const garbled = new RegExp(
  '[\\ufffd\\p{Cc}\\u2028-\\u202e\\u2066-\\u2069\\u201a\\u201e\\u2020\\u2021\\u2030\\u2039\\u203a\\u0192\\u02c6\\u02dc\\u2022\\u00a4\\u00a6\\u00ac\\u221a]|\\p{L}\\?\\p{L}' +
    `|[\\u00c2-\\u00d9]${follower}|[\\u00e0-\\u00ef]${follower}{2}|[\\u00f0-\\u00f4]${follower}{3}`,
  'u',
);

/** @param text With the blanks around it: a no-break blank may be half of a garbled character. */
export function isGarbled(text: string): boolean {
  return garbled.test(text);
}
