/** https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages */

export interface CommOpen {
  comm_id: string
  target_name: string
  target_module?: string
  data: Record<string, unknown>
}

export interface CommMsg {
  comm_id: string
  data: Record<string, unknown>
}

export interface CommClose {
  comm_id: string
  data: Record<string, unknown>
}
