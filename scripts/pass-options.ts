import type { Command } from 'commander';
import { DEFAULT_MAX_LATENCY_MS } from '../lambda/flush/flush.ts';
import { amount } from './redis-options.ts';

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
