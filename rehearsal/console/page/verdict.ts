import type { ConsoleState } from '../contract.ts';
import { byId, icon, type Shape, setText, whenChanged } from './dom.ts';
import { shares, span, where } from './text.ts';
import type { Part, View } from './view.ts';

type Level = ConsoleState['safety']['level'];

const LEVELS: Readonly<Record<Level, { readonly shape: Shape; readonly words: string }>> = {
  safe: { shape: 'check', words: 'SAFE to go on' },
  wait: { shape: 'wait', words: 'WAIT, do not go on yet' },
  unsafe: { shape: 'cross', words: 'NOT SAFE to go on' },
};

/** Nothing is left to go on to. */
const DONE = 'DONE, all is well';
const isDone = (view: View): boolean => view.state.status === 'passed' && safetyOf(view).level === 'safe';

/** The two answers that somebody comes for: whether it is safe to go on, and which stage this is. */
export function createVerdict(): Part {
  const showLevel = whenChanged((level: Level) => {
    byId('verdict').dataset['level'] = level;
    byId('safety-icon').replaceChildren(icon(LEVELS[level].shape));
  });
  return (view) => {
    const { state } = view;
    const { level, text } = safetyOf(view);
    const words = isDone(view) ? DONE : LEVELS[level].words;
    const stage = where(state);
    showLevel(level);
    setText(byId('safety'), words);
    setText(byId('safety-text'), text);
    setText(byId('where'), stage);
    const carried = shares(state)?.serverless;
    setText(
      byId('where-text'),
      carried === undefined ? 'The weights are not known' : `serverless carries ${carried} % of the traffic`,
    );
    // The text may count seconds; a screen reader hears only what changes the answer.
    setText(byId('announcement'), `${words}. ${stage}`);
    document.title = `${words}: ${stage} (${state.title})`;
  };
}

/** What was safe before a connection broke is not known to be so now. */
function safetyOf({ state, connection }: View): ConsoleState['safety'] {
  const { safety } = state;
  if (connection.status !== 'reconnecting') return safety;
  const heard = `nothing heard for ${span(Date.now() - connection.since)}`;
  const last = `Before that: ${LEVELS[safety.level].words}, ${safety.text}`;
  return { level: safety.level === 'unsafe' ? 'unsafe' : 'wait', text: `No connection, ${heard}. ${last}` };
}
