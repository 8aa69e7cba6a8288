/**
 * A column repeats itself: the same domain, the same title, the same status. Gives the function with its last answer
 * remembered, for when the next question is the same.
 */
export function rememberLast<T>(answer: (question: string) => T): (question: string) => T {
  let last: { readonly question: string; readonly answer: T } | undefined;
  return (question) => {
    if (last?.question !== question) last = { question, answer: answer(question) };
    return last.answer;
  };
}
