import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { transcriptToFile } from '../../src/node/index.js';
import { QmpClient } from '../../src/qmp/client.js';
import { parseTranscript } from '../../src/qmp/transcript.js';
import { FakeQmp } from '../../src/testing/index.js';

test('a transcript in a file that nobody else can read', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'qmp-transcript-'));
  const file = path.join(folder, 'session.jsonl');
  {
    await using transcript = transcriptToFile(file);
    await using client = await QmpClient.connect(new FakeQmp().connect(), { transcript });
    await client.execute('query-status');
  }
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(parseTranscript(readFileSync(file, 'utf8'))).toHaveLength(5);
  const nowhere = transcriptToFile(path.join(folder, 'none', 'session.jsonl'));
  nowhere.record('>', {});
  await expect(nowhere.close()).rejects.toMatchObject({ code: 'ENOENT' });
  rmSync(folder, { recursive: true });
});
