/** The entry `nebula-faas/hardware`: markers, power sources, gates, and from their edges and samples to energy. */

import './globals.ts';

export { align } from './analysis/align.ts';
export { hostWindows } from './analysis/windows.ts';
export { HardwareError } from './instrument/errors.ts';
export { evaluateGates } from './gate/gates.ts';
export { readMachine } from './gate/machine.ts';
export { importLog, importNebulaCsv, LOG_FORMATS } from './logger/formats.ts';
export { formatOf, openLog } from './logger/open-log.ts';
export { parseSidecar } from './logger/nebula-csv.ts';
export { importPpk2 } from './logger/ppk2-session.ts';
export { listMarkers, openMarker, openMarkerLine } from './marker/markers.ts';
export { markerLogRows, readMarkerLog } from './marker/log-file.ts';
export { measureLine } from './marker/line.ts';
export { SessionMarker } from './marker/marker.ts';
export { listSources } from './meter/listing.ts';
export { recordSource } from './meter/power-source.ts';
export { characterise, smallestEffectW } from './meter/probe.ts';
export { recordToFile } from './meter/recording-file.ts';
export { checkSource, openSource } from './meter/sources.ts';

export type { Alignment } from './analysis/align.ts';
export type { MarkedWindow, WindowState } from './analysis/windows.ts';
export type { HostEdge, MarkerLog } from './analysis/edges.ts';
export type { HardwareErrorCode, HardwareErrorName } from './instrument/errors.ts';
export type { Gate, GateLimits, GateName, GateStamp } from './gate/gates.ts';
export type { MachineReading } from './gate/machine.ts';
export type { ImportedLog, ImportOptions, LogCounts } from './logger/log.ts';
export type { LineCost, MarkerLine } from './marker/line.ts';
export type { Marker, MarkerOptions } from './marker/marker.ts';
export type { ListedMarker, OpenedMarker } from './marker/markers.ts';
export type { ListedSource } from './meter/listing.ts';
export type { PowerSource, Reading, Recording, SourceProperties } from './meter/power-source.ts';
export type { SourceCharacter } from './meter/probe.ts';
export type { RecordingReport } from './meter/recording-file.ts';
export type { PowerTrace, SampleRule, TraceClock } from './analysis/trace.ts';
