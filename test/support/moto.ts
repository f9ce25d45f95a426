import { spawn } from 'node:child_process'
import { request } from 'undici'
import { end, endWithUs, freePorts } from './processes.ts'
import { until } from './until.ts'

/** A moto server on loopback: AWS's wire formats, and little of its limits. */
export interface Moto {
  readonly url: string
  stop(): Promise<void>
}

/** Starts moto and waits until it answers. */
export async function startMoto(binary: string): Promise<Moto> {
  const [port = 0] = await freePorts(1)
  const child = spawn(binary, ['-H', '127.0.0.1', '-p', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] })
  endWithUs(child)
  let log = ''
  child.stderr?.on('data', (chunk) => {
    log = `${log}${chunk}`.slice(-2_000)
  })
  const url = `http://127.0.0.1:${port}`
  const answers = async () => {
    if (child.exitCode !== null) throw new Error(`moto has ended: ${log}`)
    try {
      const { statusCode, body } = await request(`${url}/moto-api/`)
      await body.dump()
      return statusCode === 200
    } catch {
      // Not yet.
      return false
    }
  }
  await until('moto answers', answers, () => log)
  return { url, stop: () => end(child, 'SIGTERM') }
}
