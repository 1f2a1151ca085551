import { LlmspellError } from '@llmspell/base'

/** One thing wrong in the configuration. `line` and `column` count from 1. */
export interface ConfigProblem {
  /** What the user reads, without the place. */
  message: string
  /** A file, or where else it came from: `LLMSPELL_KERNEL__LANGUAGE in the environment`. */
  source: string
  line?: number
  column?: number
  /** The setting concerned, as far as known. */
  key?: string
  suggestion?: string
}

/** `file:line:column: message`, as compilers print it and editors follow it. */
export function formatProblem({ source, line, column, message }: ConfigProblem): string {
  return `${source}${line === undefined ? '' : `:${line}`}${column === undefined ? '' : `:${column}`}: ${message}`
}

/** All problems at once, code `config.invalid`; `data.problems` holds them. */
export function configError(problems: readonly ConfigProblem[], cause?: unknown): LlmspellError {
  return new LlmspellError(problems.map(formatProblem).join('\n'), {
    code: 'config.invalid',
    data: { problems },
    ...(cause === undefined ? {} : { cause }),
    hint: 'Correct it there; `llmspell config show` lists every setting with its value and where that comes from.',
  })
}
