import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { canAsk, confirmNumber } from '../../../cli/confirmNumber.ts';

async function answered(text: string): Promise<{ isConfirmed: boolean; said: string[] }> {
  const said: string[] = [];
  const input = new PassThrough();
  input.end(text);
  const isConfirmed = await confirmNumber('How many?', 12_000, { say: (line) => said.push(line) }, input);
  return { isConfirmed, said };
}

test.each([
  ['12000\n', true],
  ['12,000\n', true],
  [' 12 000\r\n', true],
  ['12000', true],
  ['y\n', false],
  ['yes\n', false],
  ['\n12000\n', false],
  ['1200\n', false],
  ['120000\n', false],
  ['', false],
])('%j typed where 12000 is expected confirms: %s', async (text, isConfirmed) => {
  expect(await answered(text)).toEqual({ isConfirmed, said: ['How many?'] });
});

test('nobody can be asked without a terminal', () => {
  expect(canAsk({})).toBe(false);
  expect(canAsk({ isTTY: false })).toBe(false);
});
