/** The process of somebody who reads meanwhile: 2,000 GETs a second, whether Redis answers or not. */
import { createClient } from 'redis';
import { serveTasks } from '../protocol.ts';
import { percentile } from '../statistics.ts';
import type { Waits } from './rows.ts';

export interface BystanderTasks {
  begin(): Promise<void>;
  /** How long it has waited since `begin`, from when each GET was due. */
  end(): Promise<Waits>;
}

const PER_SECOND = 2000;
const { REDIS_URL: url = '' } = process.env;

if (url) await serve();

async function serve(): Promise<void> {
  const client = createClient({ url, commandOptions: { timeout: undefined } });
  await client.connect();
  let waitsMs: number[] = [];
  let beganAt = 0;
  let sent = 0;
  let asking = false;

  const sendDue = () => {
    if (!asking) return;
    // Timers are coarse: each time it sends all that have become due.
    for (let dueAt = nextDue(); dueAt <= performance.now(); dueAt = nextDue()) {
      const due = dueAt;
      sent += 1;
      void client.sendCommand(['GET', `sessions:${sent % 1000}`]).then(() => {
        waitsMs.push(performance.now() - due);
      });
    }
    setTimeout(sendDue, 1);
  };
  const nextDue = () => beganAt + (sent * 1000) / PER_SECOND;

  serveTasks<BystanderTasks>({
    async begin() {
      waitsMs = [];
      sent = 0;
      beganAt = performance.now();
      asking = true;
      sendDue();
    },
    async end() {
      asking = false;
      while (waitsMs.length < sent) await new Promise((resolve) => setTimeout(resolve, 1));
      const sorted = Float64Array.from(waitsMs).sort();
      const at = (share: number) => Math.round(percentile(sorted, share) * 100) / 100;
      return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
    },
  });
}
