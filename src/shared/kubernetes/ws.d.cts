/**
 * The official library's types name these of the package `ws`, which has none of its own. They are for `exec` and
 * `attach`; nothing here uses them.
 */
declare module 'ws' {
  class WebSocket {
    readonly url: string
  }
  namespace WebSocket {
    export { WebSocket }
    export interface ClientOptions {
      readonly headers?: Readonly<Record<string, string>>
    }
  }
  export = WebSocket
}
