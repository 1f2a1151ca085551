/** The name of a script in V8, which takes no white space there. */
export function scriptUrl(source: string): string {
  return source.replace(/\s/g, '%20')
}

/** Start of the marks of scripts that the engine runs for a client: the number of the execution follows. */
export const RUN_MARK = 'llmspell:run:'
/** The mark of files that a debugger only needs to meet before they run. */
export const FILE_MARK = 'llmspell:file'
/** Before the path of a file that was transformed here: its lines are not those that were written. */
export const TRANSFORMED = 'transformed:'
