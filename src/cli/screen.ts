import type { Io } from './io.ts'
import { cut } from './view.ts'

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const ERASE_LINE_END = '\u001b[K'
const CLEAR_ALL = '\u001b[2J\u001b[H'
const ERASE_BELOW = '\u001b[J'

/** Lines that are drawn over the last ones, so that only what changed seems to move. */
export interface Screen {
  draw(lines: readonly string[]): void
  /** Leaves the lines standing and gives the cursor back. */
  end(): void
}

/** Draws in place, below what the terminal shows already. Lines must fit its width. */
export function createScreen({ out, terminal }: Pick<Io, 'out' | 'terminal'>): Screen {
  let drawn = 0
  let columns = terminal()?.columns
  return {
    draw(lines) {
      const size = terminal()
      const rows = size?.rows ?? Number.POSITIVE_INFINITY
      // What scrolled out cannot be drawn over: the rest is counted instead.
      const shown =
        lines.length < rows ? lines : [...lines.slice(0, Math.max(0, rows - 2)), more(lines.length - rows + 2)]
      const up = drawn > 0 ? `\u001b[${drawn}A` : HIDE_CURSOR
      // A terminal of another width has broken the lines anew: nobody knows where they begin.
      const start = drawn > 0 && size?.columns !== columns ? CLEAR_ALL : up
      columns = size?.columns
      out(`${start}\r${shown.map((line) => `${line}${ERASE_LINE_END}\n`).join('')}${ERASE_BELOW}`)
      drawn = shown.length
    },
    end() {
      if (drawn > 0) out(SHOW_CURSOR)
      drawn = 0
    },
  }
}

function more(count: number): string {
  return cut(`… ${count} more lines: make the window higher`, 60)
}
