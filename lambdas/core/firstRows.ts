/**
 * Remembers for each email key the row that had it first, in 16 bytes: a million people fit into 32 MB.
 *
 * A key is known by 96 bits of a hash, not by its text. Among a million people, the chance that two different ones are taken
 * for the same is below one in 10^16.
 */

const wordsPerEntry = 4;
/** A power of two. */
const capacityAtFirst = 1024;
const filledShareMax = 0.6;

export class FirstRows {
  /** For each place: three words of the hash, and the row; row 0 is an empty place. */
  #entries = new Uint32Array(capacityAtFirst * wordsPerEntry);
  #capacity = capacityAtFirst;
  #count = 0;
  readonly #hash = new Uint32Array(3);

  /** Gives the row that had the key first, or undefined and remembers this one. */
  firstRowOf(key: string, row: number): number | undefined {
    if (this.#count >= this.#capacity * filledShareMax) this.#grow();
    const hash = this.#hash;
    hashInto(hash, key);
    const first = hash[0] ?? 0;
    const second = hash[1] ?? 0;
    const third = hash[2] ?? 0;
    const place = this.#placeOf(first, second, third);
    const found = this.#entries[place + 3] ?? 0;
    if (found !== 0) return found;
    this.#set(place, first, second, third, row);
    this.#count += 1;
    return undefined;
  }

  /** Where the hash stands, or the empty place for it. */
  #placeOf(first: number, second: number, third: number): number {
    const entries = this.#entries;
    for (let slot = first & (this.#capacity - 1); ; slot = (slot + 1) & (this.#capacity - 1)) {
      const place = slot * wordsPerEntry;
      if (entries[place + 3] === 0) return place;
      if (entries[place] === first && entries[place + 1] === second && entries[place + 2] === third) return place;
    }
  }

  #set(place: number, first: number, second: number, third: number, row: number): void {
    this.#entries[place] = first;
    this.#entries[place + 1] = second;
    this.#entries[place + 2] = third;
    this.#entries[place + 3] = row;
  }

  #grow(): void {
    const old = this.#entries;
    this.#capacity *= 2;
    this.#entries = new Uint32Array(this.#capacity * wordsPerEntry);
    for (let place = 0; place < old.length; place += wordsPerEntry) {
      const row = old[place + 3] ?? 0;
      if (row === 0) continue;
      const first = old[place] ?? 0;
      const second = old[place + 1] ?? 0;
      const third = old[place + 2] ?? 0;
      this.#set(this.#placeOf(first, second, third), first, second, third, row);
    }
  }
}

/** Three multiplicative hashes over the characters, each stirred with the others at the end. */
function hashInto(hash: Uint32Array, key: string): void {
  let first = 0xdeadbeef ^ key.length;
  let second = 0x41c6ce57 ^ key.length;
  let third = 0x9e3779b9 ^ key.length;
  for (let index = 0; index < key.length; index += 1) {
    const unit = key.charCodeAt(index);
    first = Math.imul(first ^ unit, 0x9e3779b1);
    second = Math.imul(second ^ unit, 0x5f356495);
    third = Math.imul((third << 5) ^ (third >>> 27) ^ unit, 0x85ebca6b);
  }
  first = stirred(first, second);
  second = stirred(second, third);
  third = stirred(third, first);
  hash[0] = first;
  hash[1] = second;
  hash[2] = third;
}

function stirred(word: number, other: number): number {
  const mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b) ^ Math.imul(other ^ (other >>> 13), 0xc2b2ae35);
  return Math.imul(mixed ^ (mixed >>> 15), 0x27d4eb2f) ^ (mixed >>> 13);
}
