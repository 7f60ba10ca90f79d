import Table from 'cli-table3';
import colors from 'picocolors';
import { PLAIN_TABLE } from '../rehearsal/plain-table.ts';

/** A table without lines, whose columns after the second are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const result = new Table({
    head: head.map((each) => colors.bold(each)),
    colAligns: head.map((_, index) => (index < 2 ? 'left' : 'right')),
    ...PLAIN_TABLE,
  });
  result.push(...rows.map((row) => [...row]));
  return result.toString().replace(/ +$/gm, '');
}

/** How far a pass over so many keys is. */
export function progressText(seen: number, keys: number): string {
  const percent = keys === 0 ? 100 : Math.min(100, Math.floor((seen / keys) * 100));
  return `${percent} %  ${countText(seen)} of ${countText(keys)} keys seen`;
}

/** 1234567 as 1,234,567. */
export const countText = (value: number): string => value.toLocaleString('en-US');

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 1536 as 1.5 KiB. */
export function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}

const PARTS: readonly [seconds: number, unit: string][] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
];

/** 5400 seconds as 1.5 h. */
export function durationText(seconds: number): string {
  const [size = 1, unit = 's'] = PARTS.find(([each]) => seconds >= each) ?? [];
  return `${Math.round((seconds / size) * 10) / 10} ${unit}`;
}
