import { benchApi } from '../api/bench.ts';
import { reportApi } from '../api/report.ts';
import type { ApiRow } from '../api/rows.ts';
import { judgeApi } from '../api/targets.ts';
import { startServers } from '../servers.ts';
import { benchCommand } from './command.ts';

export const apiCommand = benchCommand<ApiRow>({
  name: 'api',
  description: 'cached flag reads through the deployed bundle, and the cold start and size of every bundle',
  effort: { rounds: 20, slotMs: 500 },
  quick: { rounds: 5, slotMs: 300 },
  run: async (workspace, options) => benchApi(workspace, { ...(await startServers(workspace)), ...options }),
  report: reportApi,
  judge: judgeApi,
});
