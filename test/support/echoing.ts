import { type Answer, answering } from './web-server.ts'

const said = ({ url, headers, body }: { url: string; headers: object; body: string }) =>
  `you sent ${url} ${JSON.stringify(headers)} ${body}`

/** Repeats what it was sent, in turn in all the ways in which servers fail; it lets only the splits be read. */
export function echoing(): Answer {
  const answers: readonly Answer[] = [
    (response, got) => answering(401, said(got), { 'www-authenticate': 'Bearer' })(response, got),
    (response, got) =>
      answering(403, JSON.stringify({ message: said(got), errors: [{ message: said(got) }] }))(response, got),
    (response, got) => answering(500, said(got))(response, got),
    (response, got) => answering(200, said(got))(response, got),
    (response, got) =>
      answering(200, JSON.stringify({ error: said(got), ok: false, status: said(got) }))(response, got),
    (response, got) => response.writeHead(302, { location: `/?${encodeURIComponent(said(got)).slice(0, 4000)}` }).end(),
    (response) => response.destroy(),
  ]
  const splits = Object.fromEntries(['search', 'hooked', 'back', 'forth'].map((name) => [name, { weightPercent: 0 }]))
  let turn = 0
  return (response, got) => {
    if (got.method === 'GET' && got.url.endsWith('/v1/splits'))
      return answering(200, JSON.stringify({ splits }))(response, got)
    return answers[turn++ % answers.length]?.(response, got)
  }
}
