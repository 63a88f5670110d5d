import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pl061Edges } from './pl061-trace.ts';

const TRACE = `28179@1796054746.927173:pl061_set_output /machine/unattached/device[7] setting output 0 to 0
28179@1796054746.927174:pl061_set_output /machine/unattached/device[7] setting output 7 to 0
28181@1796054774.298491:pl061_set_output /machine/unattached/device[7] setting output 0 to 1
28181@1796054774.300001:pl061_set_output /machine/unattached/device[7] setting output 1 to 1
qemu-system-aarch64: a warning
28181@1796054774.310002:pl061_set_output /machine/unattached/device[7] setting output 0 to 0
`;

test('pl061Edges() gives the changes of one output, without the reset', () => {
  assert.deepEqual(pl061Edges(TRACE, 0), [
    { timeS: 1796054774.298491, level: 1, halfWidthS: 5e-7 },
    { timeS: 1796054774.310002, level: 0, halfWidthS: 5e-7 },
  ]);
  assert.deepEqual(
    pl061Edges(TRACE, 1).map(({ level }) => level),
    [1],
  );
  assert.deepEqual(pl061Edges(TRACE, 7), []);
});
