export { ECHO_COMMANDS, echoEngineFactory } from './echo-engine.ts'
