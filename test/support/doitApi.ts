/**
 * All that the functions do with the DoiT API, as one client.
 */
import { connectDirectoryApi } from '../../lambdas/adapters/directoryApi.ts';
import { connectInviteApi } from '../../lambdas/adapters/inviteApi.ts';
import type { DirectoryApi, InviteApi, OnApiCall } from '../../lambdas/ports.ts';

export type WholeApi = DirectoryApi & InviteApi;

export function connectDoitApi(...given: Parameters<typeof connectInviteApi>): (onCall: OnApiCall) => WholeApi {
  return (onCall) => ({ ...connectDirectoryApi(...given)(onCall), ...connectInviteApi(...given)(onCall) });
}
