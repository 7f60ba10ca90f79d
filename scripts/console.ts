import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { parseWhole } from '../rehearsal/options.ts';
import { stageName } from './stage-option.ts';

interface Flags {
  readonly stage: string;
  readonly port?: string;
  readonly every: string;
  readonly open: boolean;
  readonly json?: true;
}

export const consoleCommand = new Command('console')
  .description('show a stage on one page: where its traffic is, and whether it is safe to go on')
  .requiredOption('--stage <name>', 'the stage, such as production', stageName)
  .option('--port <number>', 'the port on this machine (default: a free one)')
  .option('--every <seconds>', 'how often AWS is asked', '30')
  .option('--no-open', 'do not open a browser')
  .option('--json', 'ask once, print what the page would show, and end')
  .addHelpText(
    'after',
    `
Looks and changes nothing. It ends with Ctrl-C. Each look asks CloudWatch for 15 metrics, in dual for 16: every 30 s, that is about 0.02 USD an hour.
Credentials and region are those that the AWS command line reads. They need cloudformation:DescribeStacks,
states:ListExecutions, DescribeExecution, GetExecutionHistory, route53:ListResourceRecordSets, cloudwatch:GetMetricData, DescribeAlarms.
A rehearsal has a console of its own: npm start.
Exit codes: 0 done, 1 refused, 2 bad usage.`,
  )
  .exitOverride()
  .action(async ({ stage, port, every, open, json }: Flags) => {
    const everySeconds = parseWhole('--every', every, { min: 10, max: 3600, origin: 'console' });
    const onPort =
      port === undefined ? undefined : parseWhole('--port', port, { min: 1, max: 65_535, origin: 'console' });
    const left = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => left.abort());
    const { stageSource } = await import('./aws/console/source.ts');
    const source = await stageSource(stage);
    await source.refresh();
    if (json) {
      console.log(JSON.stringify({ state: source.state(), samples: source.samples() }, null, 2));
      return;
    }
    const [{ startConsole }, { openBrowser }] = await Promise.all([
      import('../rehearsal/console/server.ts'),
      import('../rehearsal/console/open-browser.ts'),
    ]);
    const served = await startConsole({ source, port: onPort });
    console.log(`console  ${served.url}  (${stage}; Ctrl-C ends it)`);
    if (open) await openBrowser(served.url);
    while (!left.signal.aborted) {
      await sleep(everySeconds * 1000, undefined, { signal: left.signal }).catch(() => {});
      if (!left.signal.aborted) await source.refresh();
    }
    await served.close();
  });
