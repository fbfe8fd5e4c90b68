import { join } from 'node:path';

/** Where federated rounds keep what they know, in the state folder. */
export function federatedFolders(stateDir: string): { coordinator: string; client: string } {
  const folder = join(stateDir, 'federated');
  return { coordinator: join(folder, 'coordinator'), client: join(folder, 'client') };
}
