/**
 * Foreign text inside our sentences: shortened, on one line, without control characters.
 */
import { uploadLimits } from './limits.ts';

/** Characters that a terminal, a log or a spreadsheet would obey instead of show. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** The part of these that changes how the text around them looks, too: the others are at home in many languages. */
const obeyed = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** Gives `text` with what a terminal or a browser would obey replaced by `�`. */
export function inert(text: string): string {
  return text.replace(obeyed, '\ufffd');
}

/** Gives JSON for people and machines: on a terminal it does nothing, and read again it is the same. */
export function inertJson(value: unknown): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, undefined, 2).replace(obeyed, (unit) => (unit === '\n' ? unit : escaped(unit)));
}

/** Gives `text` in curly quotes, at most `charactersMax` long. */
export function quote(text: string, charactersMax: number = uploadLimits.quotedCharactersMax): string {
  return `“${plain(text, charactersMax)}”`;
}

/** Gives `text` as one printable line of at most `charactersMax` characters. */
export function plain(text: string, charactersMax: number): string {
  const line = text
    .slice(0, charactersMax * 2)
    // Half of a pair of code units that was cut apart is no character.
    .replace(/[\ud800-\udbff]$/, '')
    .replace(unprintable, ' ')
    .trim();
  const characters = [...line];
  const isCut = characters.length > charactersMax || text.length > charactersMax * 2;
  return isCut ? `${characters.slice(0, charactersMax - 1).join('')}…` : line;
}

/** Gives names as a list in a sentence; past the limit it says how many more there are. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, uploadLimits.namesListedMax).map((name) => quote(name));
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
