/** A promise that waits until it is told: forces a schedule step by step. */
export function gate(): { readonly held: Promise<void>; open(): void } {
  let open = () => {};
  const held = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { held, open };
}
