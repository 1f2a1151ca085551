export { jupyterDataDirs, jupyterUserDataDir } from './jupyter-paths.ts'
export {
  type InstalledKernelspec,
  installKernelspecs,
  KERNELSPEC_LANGUAGES,
  type KernelspecScope,
  listKernelspecs,
  uninstallKernelspecs,
} from './kernelspecs.ts'
