/**
 * Foreign text inside our sentences: shortened, on one line, without control characters.
 */
import { uploadLimits } from './limits.ts';

/** Characters that a terminal, a log or a spreadsheet would obey instead of show. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

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
