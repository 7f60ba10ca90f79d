/** How many flags there are to read. */
export const FLAGS = 100;

/** The keys of the flags, by index; after the last one comes the first one again. */
export const flagKeyOf = (index: number): string => `bench-${index % FLAGS}`;

/** Where a flag is read. */
export const flagPath = (index: number): string => `/api/config/flags/${flagKeyOf(index)}`;
