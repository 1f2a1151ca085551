export { helpText } from './command-line/help.ts'
export type { CommandSpec, OptionSpec, PositionalSpec } from './command-line/spec.ts'
export { commands } from './commands/index.ts'
export { EXIT } from './exit-codes.ts'
