import type { HeadgateEvent, JournalRow } from '../core/event.ts'
import type { JournalQuery } from '../ports/store.ts'
import {
  chainHash,
  EMPTY_JOURNAL,
  type JournalHead,
  type JournalVerdict,
  type StoredRow,
  verifyChain,
} from '../shared/journal-chain.ts'

/** A journal in memory: what it would keep on a disk, which a test may tamper with. */
export class MemoryJournal {
  stored: StoredRow[] = []
  head: JournalHead = EMPTY_JOURNAL

  append(events: readonly HeadgateEvent[]): readonly JournalRow[] {
    return events.map((event) => {
      const [seq, json] = [this.head.seq + 1, JSON.stringify(event)]
      this.head = { seq, hash: chainHash(this.head.hash, seq, json) }
      const text = new TextEncoder().encode(json)
      this.stored.push({ seq, workload: event.workload, text, hash: this.head.hash })
      return { seq, event }
    })
  }

  read({ afterSeq, limit, workload }: JournalQuery): readonly JournalRow[] {
    return this.stored
      .filter((row) => row.seq > afterSeq && (workload === undefined || row.workload === workload))
      .slice(0, limit)
      .map(({ seq, text }) => ({ seq, event: JSON.parse(new TextDecoder().decode(text)) }))
  }

  verify(expected: JournalHead | null): Promise<JournalVerdict> {
    const read = async (afterSeq: number, limit: number) => ({
      rows: this.stored.filter(({ seq }) => seq > afterSeq).slice(0, limit),
      head: this.head,
    })
    return verifyChain(read, expected)
  }
}
