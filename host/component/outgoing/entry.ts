/**
 * The thread that makes the requests of guests and holds their sockets while their own threads wait: one for all guest
 * threads, each of which it reaches by a port. It trusts them for what is granted, checks addresses after the name is looked
 * up, follows no redirect, and keeps connections for the next request.
 */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { serveGuests } from './guest-link.ts';
import { tellLoss } from './losses.ts';
import { READY, type OutgoingThreadData } from './messages.ts';

const { losses, number } = workerData as OutgoingThreadData;

// Whoever started this thread may wait in a guest, and would not hear of its end.
process.once('exit', () => tellLoss(losses, number));

parentPort?.on('message', (port: MessagePort) => serveGuests(port));
parentPort?.postMessage(READY);
