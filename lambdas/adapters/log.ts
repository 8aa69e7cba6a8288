/**
 * Structured logs, one JSON object a line.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import type { Log } from '../ports.ts';

export function powertoolsLog(serviceName: string): Log {
  const logger = new Logger({ serviceName });
  return {
    info: (event, fields) => logger.info(event, { ...fields }),
    warn: (event, fields) => logger.warn(event, { ...fields }),
    error: (event, fields, error) => logger.error(event, { ...fields, ...(error instanceof Error ? { error } : {}) }),
  };
}
