import { environmentName, familiesIn, phaseOf } from '../cache/phase.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { type Environment, readSwitch } from '../contract/switches.ts';
import { cacheModeOf } from '../outbox/cache-mode.ts';
import { type Examination, type Finding, fail, pass, warn } from './examination.ts';

/** Whether the variables say one thing: the environment's name and the phase. */
export async function examineVariables(examination: Examination, environment: Environment): Promise<void> {
  await examination.check('NODE_ENV', [], () =>
    configured(() => {
      const env = environmentName(environment['NODE_ENV']);
      return pass(`${env}: the namespace cw:${env}:`);
    }),
  );
  await examination.check('phase variables', [], () =>
    configured(() => {
      const phase = phaseOf(environment);
      // State of `isolated` is where that of `legacy` is.
      const same = phase === 'isolated' ? 'legacy' : phase;
      const other = familiesIn(environment).filter(
        (each) => each.phase !== undefined && each.phase !== phase && each.phase !== same,
      );
      const epochs = readSwitch(environment, 'CW_CACHE_EPOCHS_ENABLED') ? 'on' : 'off';
      const apart = other.map((each) => `${each.name} ${each.phase}`).join(', ');
      return pass(`${phase}${apart && `, but for ${apart}`}; tagged reads are ${epochs}`);
    }),
  );
  await examination.check('cache mode', [], () =>
    configured(() => {
      const mode = cacheModeOf(environment);
      if (mode === 'redis') return pass('redis');
      return warn(
        `${mode}: this process does not read Redis${mode === 'memory' ? ', and sees no invalidation of others for 5 s' : ''}`,
        'unset CACHE_MODE, or set it to redis, before a cutover',
      );
    }),
  );
}

/** A finding, where an error of the configuration is one, too: its message ends with the remedy. */
export function configured(look: () => Finding): Finding {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return refused(error);
  }
}

/** An error of the configuration, whose message says after the last semicolon what to do. */
export function refused({ message }: ConfigurationError): Finding {
  const at = message.lastIndexOf('; ');
  return at < 0
    ? fail(message, 'correct it and start every process again')
    : fail(message.slice(0, at), message.slice(at + 2));
}
