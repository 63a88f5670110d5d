import assert from 'node:assert/strict';
import { test } from 'node:test';

test('the package exports these names and no others', async () => {
  const face = await import('nebula-faas');
  assert.deepEqual(Object.keys(face).sort(), [
    'BindingError',
    'ComponentError',
    'NebulaClient',
    'NebulaError',
    'createNebula',
    'isBindingError',
    'isNebulaError',
    'rawBinding',
    'startServer',
  ]);
});

test('nebula-faas/hardware exports what marks, measures and imports', async () => {
  const face = await import('nebula-faas/hardware');
  assert.deepEqual(Object.keys(face).sort(), [
    'HardwareError',
    'LOG_FORMATS',
    'SessionMarker',
    'align',
    'characterise',
    'checkSource',
    'evaluateGates',
    'formatOf',
    'hostWindows',
    'importLog',
    'importNebulaCsv',
    'importPpk2',
    'listMarkers',
    'listSources',
    'markerLogRows',
    'measureLine',
    'openLog',
    'openMarker',
    'openMarkerLine',
    'openSource',
    'parseSidecar',
    'readMachine',
    'readMarkerLog',
    'recordSource',
    'recordToFile',
    'smallestEffectW',
  ]);
});
