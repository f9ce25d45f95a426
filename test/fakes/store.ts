export { createMemoryStore, type FailPoint, type MemoryStore } from '../../src/simulate/store.ts'
