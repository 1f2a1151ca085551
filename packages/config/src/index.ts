export {
  checkSettingName,
  configTemplate,
  initConfig,
  type ShownSetting,
  setConfigValue,
  showConfig,
  unsetConfigValue,
  validateConfigFile,
} from './edit.ts'
export {
  findProjectFile,
  type Layer,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  type Origin,
  PROJECT_FILE,
  suggestSetting,
  variableOf,
} from './load.ts'
export { type HeldLock, isHeld, type LockOwner, tryLock } from './lock-file.ts'
export { checkKernelId, ensurePrivateDirectory, type LlmspellPaths, resolvePaths } from './paths.ts'
export { type ConfigProblem, formatProblem } from './problem.ts'
export { isRunning, ownIdentity, type ProcessIdentity, startTimeOf } from './process-identity.ts'
export { settingsReference } from './reference.ts'
export { type Config, defaultConfig, SETTING_NAMES, SETTINGS, type Setting, type SettingName, shown } from './settings.ts'
