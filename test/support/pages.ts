/** Pages of docs/ as programs: the commands of an `sh` block, and what the block after it says they print. */

/** Commands, and what they print. */
export interface Step {
  readonly commands: string;
  /** Undefined where the page does not say. */
  readonly output: string | undefined;
}

/** The steps of a page, in order. */
export function stepsOf(page: string): Step[] {
  const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
  return blocks.flatMap(({ language, text }, index) => {
    if (language !== 'sh') return [];
    const next = blocks[index + 1];
    return [{ commands: text, output: next?.language === 'text' ? next.text : undefined }];
  });
}

/** The same text where only times, and digests of what holds times, differ. */
export const withoutTimes = (text: string): string =>
  text
    .replaceAll('\r', '')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/"[0-9a-f]{40}"/g, '"<digest>"');
