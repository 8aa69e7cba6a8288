/**
 * The names that are most like a text, for “did you mean”.
 */

const namesMax = 3;
/** More of a name than this may not differ. */
const differenceShareMax = 0.5;
/** Longer texts are compared up to here. */
const charactersMax = 60;

export function nearestNames(text: string, names: readonly string[]): readonly string[] {
  const wanted = text.toLowerCase().slice(0, charactersMax);
  return names
    .map((name) => ({ name, distance: distance(wanted, name.toLowerCase().slice(0, charactersMax)) }))
    .filter(({ name, distance: found }) => found <= Math.max(wanted.length, name.length) * differenceShareMax)
    .sort((left, right) => left.distance - right.distance)
    .slice(0, namesMax)
    .map(({ name }) => name);
}

/** Levenshtein's: how many characters must be put in, left out or exchanged. */
function distance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [row, character] of [...left].entries()) {
    const current = [row + 1];
    for (let column = 1; column <= right.length; column += 1) {
      const exchanged = (above[column - 1] ?? 0) + (right[column - 1] === character ? 0 : 1);
      current.push(Math.min(exchanged, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}
