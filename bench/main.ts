import { Command } from 'commander';
import { apiCommand } from './commands/api.ts';
import { cacheCommand } from './commands/cache.ts';

await new Command('bench')
  .description('measurements beside peers, on servers of their own')
  .addCommand(cacheCommand)
  .addCommand(apiCommand)
  .parseAsync();
