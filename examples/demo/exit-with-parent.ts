/**
 * Preloaded (`node --import`) into every process that the demo starts, so that none outlives it: when the demo is gone,
 * even by `kill -9`, its end of the IPC channel closes and the process ends too.
 */
const GRACE_MS = 5_000

process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), GRACE_MS).unref()
})
// The channel alone is no reason to stay: the controller must be able to end by itself.
process.channel?.unref()
