/** What every failed request is answered with. https://jupyter-client.readthedocs.io/en/stable/messaging.html#request-reply */
export interface ErrorReply {
  status: 'error'
  ename: string
  evalue: string
  traceback: string[]
}

/** The request was dropped because one before it failed (`stop_on_error`). */
export interface AbortedReply {
  status: 'aborted'
}

export type Reply<Ok extends { status: unknown }> = Ok | ErrorReply | AbortedReply

/** A reply that carries nothing but its success. */
export interface OkReply {
  status: 'ok'
}
