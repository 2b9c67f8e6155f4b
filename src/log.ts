import { type Logger, pino } from 'pino'

/**
 * Lines for operators: ids and codes only. What could name a patient or open a session is cut out even
 * if somebody logs it by mistake.
 */
export const createLog = (level: string): Logger =>
  pino({
    level,
    redact: {
      paths: [
        '*.nhsNumber',
        '*.nhs_number',
        '*.birthDate',
        '*.birth_date',
        '*.authorization',
        '*.cookie',
        '*.launch_token',
        '*.client_assertion',
        '*.code',
        '*.refresh_token',
        '*.access_token',
      ],
      censor: '…',
    },
    serializers: {
      // A cause may quote a request; its name, code and stack are enough to find the bug.
      err: (error: unknown) => {
        const { name, code, stack } = (error ?? {}) as {
          name?: string
          code?: string
          stack?: string
        }
        return { name, code, stack: stack?.split('\n').slice(1, 12).join('\n') }
      },
    },
  })
