/**
 * What a benchmark measured, beside what it should be.
 */

export interface Figure {
  readonly name: string;
  readonly measured: string;
  readonly target: string;
  /** Undefined where there is no target. */
  readonly isMet?: boolean;
}

export type Target =
  | { readonly kind: 'exactly'; readonly value: number }
  | { readonly kind: 'below'; readonly value: number }
  | { readonly kind: 'at_least'; readonly value: number }
  /** Shown for comparison. */
  | { readonly kind: 'none' };

export const noTarget: Target = { kind: 'none' };

/** @param format Makes a text with its unit of the measured value and of the target. */
export function figure(
  name: string,
  value: number,
  target: Target,
  format: (value: number) => string = String,
): Figure {
  const measured = format(value);
  switch (target.kind) {
    case 'exactly':
      return { name, measured, target: format(target.value), isMet: value === target.value };
    case 'below':
      return { name, measured, target: `< ${format(target.value)}`, isMet: value < target.value };
    case 'at_least':
      return { name, measured, target: `≥ ${format(target.value)}`, isMet: value >= target.value };
    case 'none':
      return { name, measured, target: '–' };
    default:
      return target satisfies never;
  }
}

export function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

export function milliseconds(value: number): string {
  return `${Math.round(value)} ms`;
}

/** A megabyte is a million bytes. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}

export function ratio(value: number): string {
  return value.toFixed(2);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function callsPerSecond(value: number): string {
  return `${value.toFixed(1)} calls/s`;
}
