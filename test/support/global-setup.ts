import { startPostgres } from '../../rehearsal/servers/postgres.ts';
import { openWorkspace, type Workspace } from '../../rehearsal/servers/workspace.ts';

/** Where the tear-down finds what the set-up opened: both run in Jest's main process. */
export const shared = globalThis as { cutoverTestWorkspace?: Workspace };

/** One PostgreSQL for all test files of a run; each file creates databases of its own on it. */
export default async function globalSetup(): Promise<void> {
  const workspace = await openWorkspace();
  shared.cutoverTestWorkspace = workspace;
  try {
    process.env['CUTOVER_TEST_POSTGRES_URL'] = (await startPostgres(workspace)).url;
  } catch (error) {
    await workspace.close();
    throw error;
  }
}
