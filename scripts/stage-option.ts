import { type Command, InvalidArgumentError } from 'commander';
import { UsageError } from '../rehearsal/options.ts';

/** Which stage's Redis a command works on, if not that of REDIS_URL. */
export interface StageFlag {
  readonly stage?: string;
}

/** For the help of each command that takes it. */
export const STAGE_HELP = `With --stage, the function operator of that stage does it inside its VPC, and this waits: with the Redis, the NODE_ENV and the phase
of the stage. REDIS_URL must not be set then, and no other variable of a Redis is read; AWS credentials and region are, as the AWS
command line reads them. They need cloudformation:DescribeStacks and lambda:InvokeFunction.`;

/** Adds the option. */
export function withStage(command: Command): Command {
  return command.option('--stage <name>', 'in AWS, on the Redis of this stage, such as dev', stageName);
}

/** @throws commander's error for what cannot be a stage. */
export function stageName(name: string): string {
  if (/^[a-z][a-z0-9-]{0,30}$/.test(name)) return name;
  throw new InvalidArgumentError('a stage is such as dev, staging or production.');
}

/** @throws UsageError where two Redis are named: nobody shall guess which one is meant. */
export function requireOneRedis(command: string, stage: string): void {
  if (!process.env['REDIS_URL']) return;
  throw new UsageError(
    `${command}: --stage ${stage} and REDIS_URL are both set, and may be two servers; unset REDIS_URL, or leave --stage out`,
  );
}
