import type { ConsoleState, Frozen, Sample } from '../contract.ts';
import { createActions } from './actions.ts';
import { createAlarms } from './alarms.ts';
import { createCharts } from './charts.ts';
import { connect } from './connection.ts';
import { createHeader } from './header.ts';
import { closed, withBatch } from './history.ts';
import { createLog } from './log.ts';
import { createSchedule } from './schedule.ts';
import { createStages } from './stages.ts';
import { createStale } from './stale.ts';
import { createVerdict } from './verdict.ts';
import type { Connection } from './view.ts';

const parts = [
  createHeader(),
  createVerdict(),
  createStages(),
  createActions(),
  createStale(),
  createCharts(),
  createAlarms(),
  createLog(),
];
const frozen = document.getElementById('frozen');
if (frozen) showFrozen(JSON.parse(frozen.textContent));
else showLive();

function showFrozen({ state, samples }: Frozen): void {
  const connection: Connection = { status: 'frozen', since: state.at };
  for (const show of parts) show({ state, samples: closed(samples, state.at), connection, now: state.at });
}

function showLive(): void {
  let state: ConsoleState | undefined;
  let samples: readonly Sample[] = [];
  let connection: Connection = { status: 'reconnecting', since: Date.now() };
  // By the clock of this browser; the server's may be another one.
  let heardAt = 0;

  const render = createSchedule(() => {
    if (!state) return;
    const now = connection.status === 'live' ? state.at + (Date.now() - heardAt) : state.at;
    for (const show of parts) show({ state, samples: closed(samples, now), connection, now });
  });
  connect({
    onState(next) {
      [state, heardAt] = [next, Date.now()];
      render();
    },
    onSamples(batch) {
      samples = withBatch(samples, batch);
      render();
    },
    onConnection(status) {
      if (status !== connection.status) connection = { status, since: Date.now() };
      render();
    },
  });
  // What says how long something has gone on.
  setInterval(() => connection.status !== 'ended' && render(), 1000);
}
