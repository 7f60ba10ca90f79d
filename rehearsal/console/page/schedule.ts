const SHORTEST_MS = 500;

/**
 * @returns what asks for a rendering: it comes at once, but never two within half a second, and while nobody can see
 * the page not before somebody does.
 */
export function createSchedule(render: () => void): () => void {
  let [renderedAt, asked, waits] = [Number.NEGATIVE_INFINITY, false, false];

  const run = () => {
    waits = false;
    if (!asked || document.hidden) return;
    asked = false;
    renderedAt = performance.now();
    render();
  };
  const ask = () => {
    asked = true;
    if (waits) return;
    waits = true;
    setTimeout(run, Math.max(0, renderedAt + SHORTEST_MS - performance.now()));
  };
  document.addEventListener('visibilitychange', () => asked && ask());
  return ask;
}
