/**
 * What a valid row asks for.
 */

export interface Invitee {
  readonly email: string;
  readonly firstName?: string;
  readonly lastName?: string;
  /** One of the API's own job titles. */
  readonly jobTitle?: string;
  readonly roleId?: string;
  readonly organizationId?: string;
}
