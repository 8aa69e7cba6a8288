/**
 * Shares of a number, each from 0 to 1.
 */

/** Nobody sets a share more finely. */
const millionths = 1_000_000;

/** Gives so much of the count. By mere multiplication, 55 % of 100 would be a little more than 55, and 29 % a little less than 29. */
export function portion(count: number, share: number): number {
  return (count * Math.round(share * millionths)) / millionths;
}

/** For people. */
export function percent(share: number): string {
  return `${Math.round(share * millionths) / (millionths / 100)} %`;
}
