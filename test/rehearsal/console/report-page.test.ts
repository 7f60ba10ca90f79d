import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { reportPage } from '../../../rehearsal/console/report-page.ts';
import { cannedSource } from '../../browser/support/canned-source.ts';

const source = cannedSource('passed');

test('is one file that loads nothing, and holds what it shows', async () => {
  const state = { ...source.state(), title: '</script><img src=x onerror=alert(1)> \u2028' };
  const html = await reportPage({ state, samples: source.samples() });
  expect(html).not.toMatch(/<link rel="stylesheet"|<script[^>]* src=/);
  const [, data = ''] = /<script type="application\/json" id="frozen">(.*?)<\/script>/s.exec(html) ?? [];
  expect(JSON.parse(data)).toEqual({ state, samples: source.samples() });
});

test('allows its own script and style and no other', async () => {
  const html = await reportPage({ state: source.state(), samples: source.samples() });
  const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
  const [, script = ''] = /<script type="module">(.*?)<\/script>/s.exec(html) ?? [];
  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  expect(policy).toBe(
    `default-src 'none'; img-src data:; script-src ${hash(script)}; style-src ${hash(style)}`,
  );
});
