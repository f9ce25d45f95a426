export { MemoryJournal } from '../../src/simulate/journal.ts'
