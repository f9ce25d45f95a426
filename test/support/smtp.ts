import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { onTestFinished, type TestContext } from 'vitest'

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  /** Headers and text, as they came. */
  readonly data: string
  /** User and password, where somebody logged in. */
  readonly login: string | null
}

export interface SmtpServer {
  readonly port: number
  readonly mails: readonly Mail[]
  connections(): number
  /** Answers to a command instead of the usual one, by its first word, `greeting` or `.`; `silent` says nothing. */
  answers: Readonly<Record<string, string | ((line: string) => string)>>
}

/** An SMTP server (RFC 5321, AUTH PLAIN) on a free loopback port, without TLS; it ends with the test, by its own `onTestFinished` where others run beside it. */
export async function startSmtpServer(atEnd: TestContext['onTestFinished'] = onTestFinished): Promise<SmtpServer> {
  const mails: Mail[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
    serve(socket, () => smtp.answers, mails)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  atEnd(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const smtp: SmtpServer = { port, mails, connections: () => connections, answers: {} }
  return smtp
}

const USUAL: Readonly<Record<string, string>> = {
  greeting: '220 mail.test ESMTP',
  EHLO: '250-mail.test\r\n250-AUTH PLAIN\r\n250 8BITMIME',
  HELO: '250 mail.test',
  AUTH: '235 2.7.0 Authentication successful',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: '354 End data with <CR><LF>.<CR><LF>',
  '.': '250 2.0.0 Ok: queued',
  QUIT: '221 2.0.0 Bye',
}

function serve(socket: Socket, answers: () => SmtpServer['answers'], mails: Mail[]): void {
  let [from, login, data, isData] = ['', null as string | null, '', false]
  let to: string[] = []
  const say = (word: string, line = '') => {
    const own = answers()[word]
    const answer = typeof own === 'function' ? own(line) : (own ?? USUAL[word] ?? '502 5.5.2 Command not recognized')
    if (answer !== 'silent') socket.write(`${answer}\r\n`)
    return answer
  }
  const onLine = (line: string) => {
    if (isData) {
      if (line !== '.') {
        data += `${line.replace(/^\./, '')}\n`
        return
      }
      isData = false
      if (say('.').startsWith('2')) mails.push({ from, to, data, login })
      return
    }
    const word = line.split(' ')[0]?.toUpperCase() ?? ''
    const answer = say(word, line)
    if (word === 'AUTH')
      login = Buffer.from(line.split(' ')[2] ?? '', 'base64')
        .toString()
        .replaceAll('\0', ' ')
        .trim()
    if (word === 'MAIL') [from, to, data] = [line.replace(/^.*<(.*)>.*$/, '$1'), [], '']
    if (word === 'RCPT') to.push(line.replace(/^.*<(.*)>.*$/, '$1'))
    if (word === 'DATA') isData = answer.startsWith('3')
    if (word === 'QUIT') socket.end()
  }
  let rest = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  say('greeting')
}
