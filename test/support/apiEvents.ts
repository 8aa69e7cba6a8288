/**
 * What a misbehaving API tells of itself, and what can be concluded from it.
 */
import { z } from 'zod';

/** Asks for one more API; its faults follow from the seed, as far as the calls come in the same order. */
export const openingSchema = z.object({ seed: z.number() });

const operations = ['reach', 'validate', 'list', 'look_up', 'invite'] as const;

export type Operation = (typeof operations)[number];

export const apiFaults = [
  'slow_down',
  'error_without_effect',
  'error_with_effect',
  'no_answer_without_effect',
  'no_answer_with_effect',
  'no_answer_with_late_effect',
  'reset_without_effect',
  'reset_with_effect',
  'unreadable_with_effect',
] as const;

export type ApiFault = (typeof apiFaults)[number];

const seed = z.number();
const call = z.number();
const email = z.string();

export const apiEventSchema = z.discriminatedUnion('kind', [
  z.object({ seed, kind: z.literal('opened'), url: z.string() }),
  z.object({ seed, kind: z.literal('broken'), detail: z.string() }),
  /** A call has arrived. */
  z.object({
    seed,
    kind: z.literal('call'),
    call,
    operation: z.enum(operations),
    email: email.optional(),
    /** Absent where it is answered as documented. */
    fault: z.enum(apiFaults).optional(),
  }),
  /** An invitation takes effect now, unless the person is a user already. */
  z.object({ seed, kind: z.literal('effect'), call, email, isNew: z.boolean() }),
  /** A look-up was answered. */
  z.object({ seed, kind: z.literal('told'), call, email, found: z.boolean() }),
]);

export type ApiEvent = z.output<typeof apiEventSchema>;

/** The directory that every API begins with. */
export const usersFromTheStart = [
  { email: 'active@acme.example', status: 'active' },
  { email: 'invited@acme.example', status: 'invited' },
] as const;
