import { Command } from 'commander';
import { environmentName } from '../lambda/cache/phase.ts';
import { census, DEFAULT_CENSUS_LIMIT_SECONDS } from '../lambda/flush/census/census.ts';
import { targetOf } from '../lambda/flush/target.ts';
import { printCensus } from './census-text.ts';
import { type PassFlags, withPassOptions } from './pass-options.ts';
import { requireOneRedis, STAGE_HELP, type StageFlag, withStage } from './stage-option.ts';
import { progressText } from './text.ts';
import { createTicker } from './ticker.ts';

const described = new Command('census').description(
  'count and measure all keys by family and namespace; changes nothing',
);

export const censusCommand = withStage(withPassOptions(described, DEFAULT_CENSUS_LIMIT_SECONDS))
  .addHelpText(
    'after',
    `
Bytes are those of MEMORY USAGE: exact, but for collections of many elements, which Redis estimates by five of them. Keys are shown
as UTF-8; other bytes, and what a terminal would not show, as \\xff; a backslash is doubled. Where keys expire the table tells the
first, the median and the last.

Environment: REDIS_URL and NODE_ENV (required; the latter names the namespace cw:{NODE_ENV}:), REDIS_CLUSTER, REDIS_AUTH.
${STAGE_HELP}
Exit codes: 0 done, 1 failed or stopped at the limit, 2 bad usage.`,
  )
  .action(async ({ stage, maxLatencyMs, limitSeconds, json }: PassFlags & StageFlag) => {
    if (stage !== undefined) {
      requireOneRedis('census', stage);
      // Not above: the AWS SDK is much to load for who does not use it.
      const { censusByStage } = await import('./by-stage.ts');
      const event = { command: 'census', maxLatencyMs } as const;
      return censusByStage({ stage, event, limitSeconds, json: json === true });
    }
    const target = targetOf(process.env, 'census');
    const env = environmentName(process.env['NODE_ENV']);
    const ticker = createTicker(process.stderr.isTTY && !json);
    const report = await census({
      ...{ target, env, maxLatencyMs, limitSeconds },
      onProgress: ({ scanned, expected }) => ticker.show(() => progressText(scanned, expected)),
      onRestart: (why) => ticker.say(`${why.message}; trying again`),
    }).finally(ticker.end);
    printCensus(report, { env, json: json === true });
  });
