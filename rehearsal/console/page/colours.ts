import type { Line } from './lines.ts';

/** What the style sheet has for this name now, in dark and in light. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export const colourOf = ({ backend }: Pick<Line, 'backend'>): string => colour(backend ?? 'both');

/** The legacy backend's lines are dashed: a colour alone would not tell them apart. */
export const dashOf = ({ backend }: Pick<Line, 'backend'>): number[] => (backend === 'legacy' ? [6, 4] : []);
