import { randomInt } from 'node:crypto';

/** Without 0 and O, 1, I and L, and U, which is taken for V. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 49 bits: a million guesses a second find one of a thousand codes that are good at the time in six days. */
const LENGTH = 10;
const GROUP = 5;

const CODE = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);

/** A code that nobody can guess, as it is stored: `7K2QXW9MBD`. */
export const newCode = (): string =>
  Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');

/** A code as it is read aloud: `7K2QX-W9MBD`. */
export const shownCode = (code: string): string => `${code.slice(0, GROUP)}-${code.slice(GROUP)}`;

/** A code as somebody has typed it, as it is stored; undefined for what can be none. */
export function readCode(typed: string): string | undefined {
  const code = typed.replace(/[\s-]/g, '').toUpperCase();
  return isCode(code) ? code : undefined;
}

/** Whether a text can be a code as it is stored. */
export const isCode = (text: string): boolean => CODE.test(text);
