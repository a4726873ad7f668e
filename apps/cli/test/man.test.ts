import { expect, test } from 'vitest';
import { dialectExamples, parseDevice } from '@xenpt/pci/grammar';
import { manPageNames, manPages } from '../src/man.js';
import { verbs } from '../src/verbs/index.js';

const pages = manPages(verbs, '1.2.3');
const plain = (page = '') => page.replaceAll('\\-', '-').replaceAll('\\(dq', '"').replaceAll('\\&', '');

test('every verb, option and exit code of --help is in xenpt(1)', () => {
  const text = plain(pages['xenpt.1']);
  for (const { name, options = [], examples } of verbs) {
    expect(text).toContain(`.SS "${name}`);
    for (const { flags } of options) expect(text).toContain(flags);
    for (const [command] of examples) expect(text).toContain(command);
  }
});

test.each(manPageNames)('%s is roff: a title, no line that begins with a stray dot, no bare hyphen', (name) => {
  const page = pages[name] ?? '';
  expect(page).toMatch(/^\.TH XENPT.* [157] "" "xenpt 1\.2\.3" "xenpt"\n\.SH NAME\n/);
  for (const line of page.split('\n')) {
    if (/^[.']/.test(line)) expect(line).toMatch(/^\.(TH|SH|SS|PP|TP|B|I)\b/);
    else expect(line).not.toMatch(/(^|[^\\])-/);
  }
});

test('every form in xenpt-pci-spec(5) is read', () => {
  for (const [form] of Object.values(dialectExamples)) {
    expect(plain(pages['xenpt-pci-spec.5'])).toContain(form);
    parseDevice(form);
  }
});
