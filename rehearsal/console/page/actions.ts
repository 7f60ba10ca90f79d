import { ACTIONS, type ActionName } from '../contract.ts';
import { byId, element, setText } from './dom.ts';
import { EFFECTS } from './effects.ts';
import type { Part } from './view.ts';

const GROUPS = { rollout: 'Rollout', fault: 'Inject a fault' } as const;
const NAMES = Object.keys(ACTIONS) as ActionName[];

/** A button for each action that can be asked for now; what it does is said first, and has to be confirmed. */
export function createActions(): Part {
  const buttons = new Map(NAMES.map((name) => [name, buttonOf(name)]));
  byId('action-buttons').append(
    ...Object.entries(GROUPS).map(([group, label]) => {
      const members = NAMES.filter((name) => EFFECTS[name].group === group);
      const heading = element('span', { class: 'muted' }, label);
      return element(
        'div',
        { class: 'action-group', role: 'group', 'aria-label': label },
        heading,
        ...members.flatMap((name) => buttons.get(name) ?? []),
      );
    }),
  );
  return ({ state, connection }) => {
    const offered = connection.status === 'ended' || connection.status === 'frozen' ? [] : state.actions;
    byId('actions').hidden = offered.length === 0;
    for (const [name, button] of buttons) {
      const hides = !offered.includes(name);
      // Who is on a button that goes would be nowhere.
      if (hides && button === document.activeElement) byId('actions-heading').focus();
      button.hidden = hides;
    }
  };
}

function buttonOf(name: ActionName): HTMLButtonElement {
  const button = element('button', { type: 'button', 'data-action': name }, ACTIONS[name]);
  if (EFFECTS[name].danger) button.classList.add('danger');
  button.addEventListener('click', async () => {
    if (await isConfirmed(name)) await act(name);
  });
  return button;
}

/** The dialog gives the focus back to the button by itself. */
function isConfirmed(name: ActionName): Promise<boolean> {
  const dialog = byId('action-dialog') as HTMLDialogElement;
  const { does, shows } = EFFECTS[name];
  setText(byId('action-question'), `${ACTIONS[name]}?`);
  byId('action-effect').replaceChildren(
    element('p', {}, does),
    element('p', {}, element('strong', {}, 'What you should see: '), shows),
  );
  dialog.dataset['kind'] = EFFECTS[name].danger ? 'danger' : '';
  dialog.returnValue = 'cancel';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'confirm'), { once: true });
  });
}

async function act(name: ActionName): Promise<void> {
  const [answer, problem] = [byId('action-answer'), byId('action-problem')];
  setText(answer, `${ACTIONS[name]}: asked for`);
  setText(problem, '');
  try {
    setText(answer, `${ACTIONS[name]}: ${await post(name)}`);
  } catch (error) {
    setText(answer, '');
    setText(problem, `${ACTIONS[name]}: ${error instanceof Error ? error.message : error}`);
  }
}

/** @throws the server's problem as an error for a person to read. */
async function post(name: ActionName): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`/actions/${name}`, { method: 'POST', headers, body: '{}' }).catch((cause) => {
    throw new Error('the console does not answer; nothing is known of whether it was done', { cause });
  });
  const body: { text?: string; title?: string; detail?: string } = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? body.title ?? `the server answered ${answer.status}`);
  return body.text ?? 'done';
}
