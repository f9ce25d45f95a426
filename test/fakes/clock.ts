export { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
