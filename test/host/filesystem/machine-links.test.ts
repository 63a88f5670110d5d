import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandLinks, joinPath } from '../../../host/filesystem/machine-links.ts';
import { ERRNO } from '../../../host/wasi/errno.ts';
import { bytes, text } from './machine-fixture.ts';

test('joinPath() takes a link for relative to its directory', () => {
  assert.equal(text(joinPath(bytes('a/b/link'), bytes('../c'))), 'a/b/../c');
  assert.equal(text(joinPath(bytes('link'), bytes('c'))), 'c');
});

test('expandLinks() follows links relative to where they are, and none that leads out or in a circle', () => {
  const links: Readonly<Record<string, string>> = {
    a: 'd/b',
    'd/b': '../c',
    loop: 'loop',
    out: '/etc',
    gone: 'nowhere',
  };
  const files = new Set(['d/../c', 'file']);
  const expand = (path: string): string | number => {
    const expanded = expandLinks(bytes(path), (link) => {
      const contents = links[text(link)];
      if (contents !== undefined) return bytes(contents);
      return files.has(text(link)) ? -ERRNO.inval : -ERRNO.noent;
    });
    return typeof expanded === 'number' ? expanded : text(expanded);
  };
  assert.equal(expand('file'), 'file');
  assert.equal(expand('a'), 'd/../c');
  assert.equal(expand('nowhere'), ERRNO.noent);
  assert.equal(expand('gone'), ERRNO.inval, 'a link that leads nowhere is there');
  assert.equal(expand('out'), ERRNO.notcapable);
  assert.equal(expand('loop'), ERRNO.loop);
});
