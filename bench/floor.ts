import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Agent, request } from 'undici'

/** The least that a durable reaction can cost: one durable commit, then one request to the provider, nothing between. */
export interface Floor {
  /** Does both once, ms. */
  measure(): Promise<FloorSpan>
  close(): Promise<void>
}

export interface FloorSpan {
  readonly totalMs: number
  readonly commitMs: number
  readonly requestMs: number
}

export interface FloorOptions {
  /** On the disk that the store is on. */
  readonly folder: string
  /** Where the provider answers. */
  readonly url: string
  readonly token: string
  /** A split of the provider that no workload has. */
  readonly split: string
}

/** Opens a database with the store's settings, and a connection that is kept. */
export function openFloor({ folder, url, token, split }: FloorOptions): Floor {
  const db = new DatabaseSync(join(folder, 'floor.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT)')
  const insert = db.prepare('INSERT INTO row (text) VALUES (?)')
  const agent = new Agent({ allowH2: false })
  const headers = {
    accept: 'application/json',
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
    'headgate-urgency': 'revert',
  }
  let weightPercent = 0

  const commit = () => {
    db.exec('BEGIN IMMEDIATE')
    insert.run('one small row')
    db.exec('COMMIT')
  }
  const patch = async () => {
    weightPercent = 10 - weightPercent
    const body = JSON.stringify({ splits: { [split]: { weightPercent } } })
    const answer = await request(`${url}/v1/splits`, { dispatcher: agent, method: 'PATCH', headers, body })
    const text = await answer.body.text()
    if (answer.statusCode !== 200) throw new Error(`the provider answered ${answer.statusCode}: ${text}`)
  }
  return {
    async measure() {
      const startedMs = performance.now()
      commit()
      const committedMs = performance.now()
      await patch()
      const endedMs = performance.now()
      return {
        totalMs: endedMs - startedMs,
        commitMs: committedMs - startedMs,
        requestMs: endedMs - committedMs,
      }
    },
    async close() {
      await agent.destroy()
      db.close()
    },
  }
}
