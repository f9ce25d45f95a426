/** One server-sent event (html.spec.whatwg.org, 9.2). */
export interface ServerEvent {
  readonly id: string | null
  readonly event: string
  readonly data: string
}

const LONGEST_EVENT_CHARS = 4 * 1024 * 1024

/** Splits a response body into its events. Comments, such as heartbeats, are passed over. Ends with the body. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    const blocks = rest.split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ''
    if (rest.length > LONGEST_EVENT_CHARS) throw new Error('a server-sent event is too long')
    for (const block of blocks) {
      const event = parseEvent(block)
      if (event) yield event
    }
  }
}

function parseEvent(block: string): ServerEvent | null {
  const data: string[] = []
  let id: string | null = null
  let event = 'message'
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^([^:]+)(?:: ?(.*))?$/.exec(line) ?? []
    if (field === 'data') data.push(value)
    else if (field === 'id') id = value
    else if (field === 'event') event = value
  }
  return data.length === 0 ? null : { id, event, data: data.join('\n') }
}
