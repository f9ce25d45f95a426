export { createFakeLog, createFakeMeter, createFakeRandom, type FakeLog, settled } from '../../src/simulate/runtime.ts'
