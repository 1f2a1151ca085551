export { checkKernelId, ensurePrivateDirectory, type LlmspellPaths, resolvePaths } from './paths.ts'
export { isRunning, ownIdentity, type ProcessIdentity, startTimeOf } from './process-identity.ts'
