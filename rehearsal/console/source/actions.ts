import type { FlushProgress } from '../../../lambda/flush/flush.ts';
import { FAULTS, type FaultName, type Faults } from '../../faults.ts';
import type { RolloutControl } from '../../rollout/control.ts';
import { ACTIONS, type ActionName } from '../contract.ts';
import type { Journal } from './journal.ts';
import { FAULT_TEXTS, flushText } from './narration.ts';
import type { Progress } from './progress.ts';

/** What a rehearsal lets itself be asked for. */
export interface ActionPorts {
  readonly flush: () => Promise<FlushProgress>;
  /** Undefined with a Redis that was there before, which nobody breaks. */
  readonly faults: Faults | undefined;
  /** Undefined where there is no mirror, or no one way without it. */
  readonly switchMirrorOff: (() => Promise<void>) | undefined;
}

export interface Actions {
  /** The rollout has begun; of a change of phases there is no control. */
  control(control: RolloutControl): void;
  available(): readonly ActionName[];
  /** @throws an error that says why it cannot be done now. */
  act(action: ActionName): Promise<string>;
  readonly isMirrorOff: boolean;
  readonly isGoingBack: boolean;
}

export interface ActionsOptions extends ActionPorts {
  readonly journal: Journal;
  readonly progress: Progress;
  readonly isOver: () => boolean;
}

const REASON = 'somebody asked for it in the console';

export function createActions(options: ActionsOptions): Actions {
  const { flush, faults, switchMirrorOff, journal, progress, isOver } = options;
  let control: RolloutControl | undefined;
  let [isMirrorOff, isGoingBack] = [false, false];
  const controlled = (): RolloutControl => {
    if (!control) throw new Error('console: there is no rollout to control yet; wait until it has begun');
    return control;
  };

  const isAvailable: Readonly<Record<ActionName, () => boolean>> = {
    pause: () => control !== undefined && !progress.isPaused && !isGoingBack,
    resume: () => control !== undefined && progress.isPaused,
    flush: () => true,
    'kill-redis': () => faults !== undefined && faults.current === undefined,
    'freeze-redis': () => faults !== undefined && faults.current === undefined,
    'slow-redis': () => faults !== undefined && faults.current === undefined,
    'mirror-off': () => switchMirrorOff !== undefined && !isMirrorOff,
    'roll-back': () => control !== undefined && !isGoingBack,
  };

  const inject = async (fault: FaultName) => {
    await faults?.inject(fault);
    return `${FAULT_TEXTS[fault].begun}, for some seconds`;
  };

  const acts: Readonly<Record<ActionName, () => Promise<string>>> = {
    async pause() {
      controlled().pause();
      progress.pause();
      journal.write({
        ...{ mark: 'pause', level: 'warning' },
        text: 'paused: the rollout stays where it is, and traffic goes on',
      });
      return 'the rollout stays where it is; traffic goes on';
    },
    async resume() {
      controlled().resume();
      progress.resume();
      journal.write({ mark: 'pause', text: 'resumed' });
      return 'the rollout goes on';
    },
    async flush() {
      const text = flushText(await flush());
      journal.write({ mark: 'flush', text: `${text}: ${REASON}` });
      return text;
    },
    'kill-redis': () => inject('kill-redis'),
    'freeze-redis': () => inject('freeze-redis'),
    'slow-redis': () => inject('slow-redis'),
    async 'mirror-off'() {
      isMirrorOff = true;
      await switchMirrorOff?.().catch((error: unknown) => {
        isMirrorOff = false;
        throw error;
      });
      const text = 'the legacy backend writes without the mirror, from now on';
      journal.write({ mark: 'fault', level: 'warning', text });
      return text;
    },
    async 'roll-back'() {
      controlled().stop(REASON);
      isGoingBack = true;
      if (progress.isPaused) progress.resume();
      const text = 'the traffic goes back to the legacy backend';
      journal.write({ mark: 'back', level: 'warning', text: `${text}: ${REASON}` });
      return text;
    },
  };

  const refusal = (action: ActionName): string => {
    const isFault = FAULTS.some((name) => name === action);
    if (isOver()) return 'the rehearsal is over';
    if (isFault && !faults)
      return 'REDIS_URL names a server that was there before, and only one of our own is broken; unset REDIS_URL';
    if (isFault) return 'another fault is in; wait until it is over';
    return 'it makes no sense now; look at the buttons that are there';
  };

  return {
    control(given) {
      control = given;
    },
    get isMirrorOff() {
      return isMirrorOff;
    },
    get isGoingBack() {
      return isGoingBack;
    },
    available: () =>
      isOver() ? [] : (Object.keys(ACTIONS) as ActionName[]).filter((action) => isAvailable[action]()),
    async act(action) {
      if (isOver() || !isAvailable[action]())
        throw new Error(`console: ${ACTIONS[action]} is refused: ${refusal(action)}`);
      return acts[action]();
    },
  };
}
