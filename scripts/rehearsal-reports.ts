import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ConsoleSource } from '../rehearsal/console/contract.ts';
import { UsageError } from '../rehearsal/options.ts';
import type { Report } from '../rehearsal/report.ts';

const REPORTS = { json: 'report.json', html: 'report.html' } as const;

/** Writes the report of a run, and its console as it is now. */
export async function writeReports(folder: string, report: Report, source: ConsoleSource): Promise<void> {
  const { reportPage } = await import('../rehearsal/console/report-page.ts');
  const page = await reportPage({ state: source.state(), samples: source.samples() });
  const [json, html] = [path.join(folder, REPORTS.json), path.join(folder, REPORTS.html)];
  await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(html, page);
  console.log(`report   ${json}  ${html}`);
}

/**
 * Before the run, not after it; an earlier report does not outlive a run that fails.
 * @throws UsageError for a folder that cannot be written.
 */
export async function prepareReports(folder: string): Promise<void> {
  try {
    await makeFolder(path.resolve(folder));
    for (const name of Object.values(REPORTS)) {
      await writeFile(path.join(folder, name), '');
      await rm(path.join(folder, name));
    }
  } catch (cause) {
    throw new UsageError(`rehearse: --report=${folder} cannot be written: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Node's recursive mkdir does not come back from a place like /proc. */
async function makeFolder(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  await makeFolder(path.dirname(folder));
  await mkdir(folder);
}
