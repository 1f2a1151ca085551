export { describeStateDriver, type StateDriverMaker } from './describe-state-driver.ts'
