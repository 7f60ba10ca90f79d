import type { BackendName, ConsoleState, StaleRead } from '../contract.ts';

/** `1,234`; `not measured` where nobody counts. */
export const count = (value: number | null): string =>
  value === null ? 'not measured' : value.toLocaleString('en');

/** `0:42`, `1:02:03`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => `${value}`.padStart(2, '0');
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** How somebody would say how long: `412 ms`, `3.2 s`, `2:05 min`. */
export function span(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${duration(milliseconds)} min`;
}

/** Of a rehearsal the time since it began; of a deployed stage the time of day. */
export function moment({ kind, startedAt }: Pick<ConsoleState, 'kind' | 'startedAt'>, at: number): string {
  if (kind === 'rehearsal') return duration(at - startedAt);
  return new Date(at).toLocaleTimeString('en-GB');
}

/** In percent of the traffic. As Route 53 has it, no weight at all means equal shares. Null where the weights are not known. */
export function shares({ weights }: Pick<ConsoleState, 'weights'>): Record<BackendName, number> | null {
  if (!weights) return null;
  const { legacy, serverless } = weights;
  const total = legacy + serverless;
  const percent = total === 0 ? 50 : Math.round((serverless / total) * 1000) / 10;
  return { legacy: Math.round((100 - percent) * 10) / 10, serverless: percent };
}

/** Which stage a cutover is in, as one line. */
export function where({ stages, status }: Pick<ConsoleState, 'stages' | 'status'>): string {
  const of = (found: number) => `${found + 1} of ${stages.length}`;
  const find = (wanted: string) => stages.findIndex((stage) => stage.status === wanted);
  const [failed, current, next] = ['failed', 'current', 'next'].map(find) as [number, number, number];
  if (stages.length === 0) return 'No stage';
  if (failed >= 0) return `Stage ${of(failed)} (${stages[failed]?.name}) failed`;
  if (current >= 0) return `Stage ${of(current)}: ${stages[current]?.name}`;
  if (next < 0) return `All ${stages.length} stages passed`;
  if (status === 'failed') return `Failed before stage ${of(next)}`;
  return `Before stage ${of(next)}: ${stages[next]?.name}`;
}

/** A part of a sentence; the strong ones are what to look at. */
interface Phrase {
  readonly text: string;
  readonly as?: 'strong' | 'code';
}

/** A stale read as a sentence. */
export function staleSentence(read: StaleRead): readonly Phrase[] {
  return [
    { text: read.readBy, as: 'strong' },
    { text: ` read version ${read.versionRead} of ` },
    { text: read.key, as: 'code' },
    { text: ' ' },
    { text: `${span(read.ageMs)} after`, as: 'strong' },
    { text: ` ${read.writtenBy}'s version ${read.versionWritten} was acknowledged` },
  ];
}
