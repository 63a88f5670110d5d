/** What a request that failed is called in WASI. Source: WASI 0.2, wasi:http/types, error-code. */

import { PROHIBITED } from './agents.ts';
import type { HttpErrorCode } from './messages.ts';

/** `code` of the error of a body that is larger than its guest may read. */
export const BODY_SIZE = 'ERR_BODY_SIZE';

const CODES: Readonly<Record<string, HttpErrorCode>> = {
  [PROHIBITED]: { tag: 'destination-IP-prohibited' },
  [BODY_SIZE]: { tag: 'HTTP-response-body-size' },
  ECONNREFUSED: { tag: 'connection-refused' },
  ECONNRESET: { tag: 'connection-terminated' },
  EPIPE: { tag: 'connection-terminated' },
  EHOSTUNREACH: { tag: 'destination-IP-unroutable' },
  ENETUNREACH: { tag: 'destination-IP-unroutable' },
  EAI_AGAIN: { tag: 'DNS-timeout' },
  ENOTFOUND: { tag: 'DNS-error', val: { rcode: 'NXDOMAIN' } },
  ETIMEDOUT: { tag: 'connection-timeout' },
  UND_ERR_CONNECT_TIMEOUT: { tag: 'connection-timeout' },
  UND_ERR_HEADERS_TIMEOUT: { tag: 'HTTP-response-timeout' },
  UND_ERR_BODY_TIMEOUT: { tag: 'connection-read-timeout' },
  UND_ERR_HEADERS_OVERFLOW: { tag: 'HTTP-response-header-section-size' },
  UND_ERR_SOCKET: { tag: 'connection-terminated' },
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: { tag: 'HTTP-request-body-size' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { tag: 'HTTP-response-incomplete' },
};

/** The error-code of whatever undici, the network or we gave as an error. */
export function httpErrorCode(error: unknown): HttpErrorCode {
  const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  for (const each of errors) {
    const code = String((each as { code?: unknown } | null)?.code);
    const known = CODES[code];
    if (known !== undefined) return known;
    if (code.startsWith('HPE_')) return { tag: 'HTTP-protocol-error' };
    if (/^(CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) return { tag: 'TLS-certificate-error' };
    if (code === 'EPROTO') return { tag: 'TLS-protocol-error' };
  }
  return { tag: 'internal-error' };
}
