/**
 * What really happened in an API, concluded from its events.
 */
import { type ApiEvent, usersFromTheStart } from './apiEvents.ts';

type Indexed<Kind extends ApiEvent['kind']> = Extract<ApiEvent, { kind: Kind }> & { readonly index: number };

/** People for whom an invitation took effect. */
export function invitedIn(events: readonly ApiEvent[]): Set<string> {
  return new Set(of(events, 'effect').flatMap(({ email, isNew }) => (isNew ? [email] : [])));
}

/** Invitation calls. */
export function postsIn(events: readonly ApiEvent[]): readonly { readonly email: string; readonly call: number }[] {
  return of(events, 'call').flatMap(({ operation, email = '', call }) =>
    operation === 'invite' ? [{ email, call }] : [],
  );
}

/**
 * Invitation calls that were sent blindly: for users from the start, or once more without having looked before. Looking
 * helps except where the earlier call takes effect later still, or was refused with 429 and has no effect.
 */
export function blindPostsIn(events: readonly ApiEvent[]): string[] {
  const lookUps = of(events, 'told').filter(({ found }) => !found);
  const posts = of(events, 'call').filter(({ operation }) => operation === 'invite');
  return posts.flatMap(({ email = '', call, index }) => {
    if (usersFromTheStart.some((user) => user.email === email))
      return [`${email}: call ${call}, a user from the start`];
    const earlier = posts.findLast((post) => post.email === email && post.index < index && post.fault !== 'slow_down');
    if (earlier === undefined) return [];
    const looked = lookUps.some(
      (lookUp) => lookUp.email === email && lookUp.index > earlier.index && lookUp.index < index,
    );
    return looked ? [] : [`${email}: call ${call} after call ${earlier.call}, and no look-up between`];
  });
}

function of<Kind extends ApiEvent['kind']>(events: readonly ApiEvent[], kind: Kind): Indexed<Kind>[] {
  return events.flatMap((event, index) => (event.kind === kind ? [{ ...event, index } as Indexed<Kind>] : []));
}
