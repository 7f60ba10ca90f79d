import { startPostgres } from '../../rehearsal/servers/postgres.ts';
import { openWorkspace, type Workspace } from '../../rehearsal/servers/workspace.ts';
import { bundleCommandLine } from './command-line.ts';

/** Where the tear-down finds what the set-up opened: both run in Jest's main process. */
export const shared = globalThis as { cutoverTestWorkspace?: Workspace };

/** One PostgreSQL for all test files of a run, each of which creates databases of its own on it; the command line, and a folder to share. */
export default async function globalSetup(): Promise<void> {
  const workspace = await openWorkspace();
  shared.cutoverTestWorkspace = workspace;
  try {
    const [postgres] = await Promise.all([startPostgres(workspace), bundleCommandLine()]);
    process.env['CUTOVER_TEST_POSTGRES_URL'] = postgres.url;
    process.env['CUTOVER_TEST_RUN_FOLDER'] = workspace.folder;
  } catch (error) {
    await workspace.close();
    throw error;
  }
}
