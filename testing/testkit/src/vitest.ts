export { describeWith } from './describe-with.ts'
export { type PythonSuiteOptions, pythonSuite } from './python-suite.ts'
