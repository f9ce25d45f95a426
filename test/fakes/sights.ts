export { plainSights } from '../../src/simulate/sights.ts'
