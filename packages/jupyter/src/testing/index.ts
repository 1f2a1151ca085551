export { describeTransport, type TransportPair, type TransportSuite } from './describe-transport.ts'
