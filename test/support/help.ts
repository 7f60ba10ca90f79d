import type { Command } from 'commander';

/** All that `--help` prints of a command, without a process of its own. */
export function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({
    writeOut(text) {
      help += text;
    },
  });
  command.outputHelp();
  return help;
}
