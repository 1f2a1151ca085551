/**
 * Contents of the IOPub channel.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html#messages-on-the-iopub-pub-sub-channel
 */

import type { MimeBundle } from './shell.ts'

export interface StreamContent {
  name: 'stdout' | 'stderr'
  text: string
}

export interface DisplayContent {
  data: MimeBundle
  metadata: Record<string, unknown>
  transient?: { display_id?: string } & Record<string, unknown>
}

export interface UpdateDisplayContent extends DisplayContent {
  transient: { display_id: string } & Record<string, unknown>
}

export interface ExecuteInputContent {
  code: string
  execution_count: number
}

export interface ExecuteResultContent extends DisplayContent {
  execution_count: number
}

export interface ErrorContent {
  ename: string
  evalue: string
  traceback: string[]
}

export interface StatusContent {
  /** `restarting`, `autorestarting` and `dead` come from servers, not kernels. */
  execution_state: 'starting' | 'idle' | 'busy' | 'restarting' | 'autorestarting' | 'dead'
}

export interface ClearOutputContent {
  /** Clear only once new output is there. */
  wait: boolean
}

/** A Debug Adapter Protocol event. */
export interface DebugEventContent {
  type: string
  seq: number
  event: string
  body?: unknown
}

/** JEP 65: sent to who subscribes; from here on nothing is missed. */
export interface IopubWelcomeContent {
  /** The topic subscribed to; empty for all. */
  subscription: string
}
