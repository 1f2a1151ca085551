export { describeWith } from './describe-with.ts'
export { homeWithKernelspecs, kernels } from './installed-kernelspecs.ts'
export { type PythonSuiteOptions, pythonSuite } from './python-suite.ts'
