/**
 * What a row would cost, in dollars, in designs that this is compared with: worked out from list prices (`prices.ts`), not
 * measured.
 */
import { dollars } from './prices.ts';

/** The API answers in half a second, and the function waits for it with the least memory that Lambda gives. */
const invocation = dollars.lambdaRequest + 0.5 * 0.125 * dollars.lambdaGigabyteSecond;
/** Without a note before and after the call, a crash invites people twice. */
const notes = 2 * dollars.dynamoWrite;
const messageRequests = 2.1;
const logBytes = 500;
/** A workflow that waits for the function is charged for the least memory that there is. */
const workflow = dollars.expressWorkflow + 0.5 * (64 / 1024) * dollars.expressGigabyteSecond;

export const otherDesigns = {
  'a message for each row':
    messageRequests * dollars.sqsRequest + invocation + notes + (logBytes / 1e9) * dollars.logGigabyte,
  'express workflows': workflow + invocation + notes,
  'transitions of standard workflows': 2 * dollars.standardTransition,
} as const;
