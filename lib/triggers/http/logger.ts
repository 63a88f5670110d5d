/** Who is told of failures inside the HTTP trigger. Types only. */

/** Where failures of Nebula's own are told; pino's logger fits. */
export interface HttpLogger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
