/** The element of `index.html` with this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`page: index.html has no element #${id}`);
  return found;
}

/** A new element. Text becomes a text node: what somebody named a key is never read as HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Sets a text only where it is another one: a screen reader would say it again. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** `show`, skipped while what it is given says the same as the last time. */
export function whenChanged<Value>(show: (value: Value) => void): (value: Value) => void {
  let shown: string | undefined;
  return (value) => {
    const text = JSON.stringify(value);
    if (text === shown) return;
    shown = text;
    show(value);
  };
}

const SHAPES = {
  check: 'M4 12.5l5 5L20 6.5',
  cross: 'M6 6l12 12M18 6L6 18',
  wait: 'M7 3h10M7 21h10M8 3v3c0 3 4 4 4 6s-4 3-4 6v3M16 3v3c0 3-4 4-4 6s4 3 4 6v3',
  now: 'M7 4l12 8-12 8z',
  unknown: 'M8 9a4 4 0 1 1 6 3.5c-1.4.9-2 1.5-2 3M12 19.5v.01',
} as const;
export type Shape = keyof typeof SHAPES;

/** A shape that says beside the colour what a word says beside it. */
export function icon(shape: Shape): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS(svg.namespaceURI, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon icon-${shape}`);
  path.setAttribute('d', SHAPES[shape]);
  svg.append(path);
  return svg;
}

/** A table whose first column names the row. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): HTMLTableElement {
  const cells = (row: readonly string[]) =>
    row.map((text, index) => (index === 0 ? element('th', { scope: 'row' }, text) : element('td', {}, text)));
  return element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...head.map((text) => element('th', { scope: 'col' }, text)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...cells(row)))),
  );
}
