import { Command } from 'commander';
import { apiCommand } from './commands/api.ts';
import { cacheCommand } from './commands/cache.ts';
import { consoleCommand } from './commands/console.ts';
import { flushCommand } from './commands/flush.ts';

await new Command('bench')
  .description('measurements beside peers, on servers of their own')
  .addCommand(cacheCommand)
  .addCommand(apiCommand)
  .addCommand(flushCommand)
  .addCommand(consoleCommand)
  .parseAsync();
