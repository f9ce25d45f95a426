#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { systemIo } from './cli/io.ts'
import { runCli } from './cli/program.ts'

// V8 lets a heap grow to four times what lives in it before it collects all of it: of a large fleet that was most of the
// process. At 1.7 times it collects about once a sweep, mostly on another thread; less would cost more time than it saves memory.
setFlagsFromString('--heap-growing-percent=70')

process.exitCode = await runCli(process.argv.slice(2), systemIo())
