export { DEFAULT_MEMORY_LIMIT, type JavascriptEngineSettings, javascriptEngineFactory } from './javascript-engine.ts'
