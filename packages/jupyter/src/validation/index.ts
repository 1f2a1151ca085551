export { parseContent, parseMessage } from './parse-content.ts'
