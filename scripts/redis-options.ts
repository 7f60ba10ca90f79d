import { InvalidArgumentError } from 'commander';

export { targetOf } from '../lambda/flush/target.ts';

/** Reads an option that is a number of 0 or more. */
export function amount(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
    throw new InvalidArgumentError(`${option} is a number of 0 or more, such as 2.`);
  };
}
