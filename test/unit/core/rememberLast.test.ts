import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rememberLast } from '../../../lambdas/core/rememberLast.ts';

test('the answers are those of the function, in any order of questions', () => {
  const answer = (question: string): string | undefined => (question === '' ? undefined : question.toUpperCase());
  fc.assert(
    fc.property(fc.array(fc.constantFrom('', 'a', 'b', 'A')), (questions) => {
      expect(questions.map(rememberLast(answer))).toEqual(questions.map(answer));
    }),
  );
});

test('a question that is asked again at once is answered from memory, also where the answer is nothing', () => {
  const asked: string[] = [];
  const remembered = rememberLast((question): undefined => {
    asked.push(question);
  });
  for (const question of ['', '', 'a', 'a', 'b', 'a']) remembered(question);
  expect(asked).toEqual(['', 'a', 'b', 'a']);
});
