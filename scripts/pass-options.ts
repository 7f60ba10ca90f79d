import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_MAX_LATENCY_MS } from '../lambda/flush/flush.ts';

/** How a pass over all keys goes, as the command line says. */
export interface PassFlags {
  readonly maxLatencyMs: number;
  readonly limitSeconds: number;
  readonly json?: true;
}

/** Adds these options to a command. */
export function withPassOptions(command: Command, limitSeconds: number): Command {
  return command
    .option(
      '--max-latency-ms <number>',
      'slow down where others would wait longer for Redis; 0: as fast as it goes',
      amount('--max-latency-ms'),
      DEFAULT_MAX_LATENCY_MS,
    )
    .option('--limit-seconds <number>', 'stop after so long', amount('--limit-seconds'), limitSeconds)
    .option('--json', 'print the figures as JSON');
}

/** Reads an option that is a number of 0 or more. */
function amount(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
    throw new InvalidArgumentError(`${option} is a number of 0 or more, such as 2.`);
  };
}
