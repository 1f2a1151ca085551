export { checkKernelId, ensurePrivateDirectory, type LlmspellPaths, resolvePaths } from './paths.ts'
