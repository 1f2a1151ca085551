/** https://jupyter-client.readthedocs.io/en/stable/messaging.html#messages-on-the-stdin-router-dealer-channel */

export interface InputRequest {
  prompt: string
  /** Do not echo what is typed. */
  password: boolean
}

export interface InputReply {
  value: string
}
