/**
 * Contents of the control channel.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html#messages-on-the-control-router-dealer-channel
 */

import type { OkReply } from './reply.ts'

export interface ShutdownRequest {
  /** Followed by a restart: the process (or what runs in it) comes back on the same ports. */
  restart: boolean
}

export interface ShutdownOk extends OkReply {
  restart: boolean
}

/** A Debug Adapter Protocol request; the control channel only carries it. */
export interface DebugRequest {
  type: string
  seq: number
  command: string
  arguments?: unknown
}

/** A Debug Adapter Protocol response: no Jupyter `status`, `success` tells. */
export interface DebugReply {
  type: string
  seq: number
  request_seq: number
  success: boolean
  command: string
  message?: string
  body?: unknown
}

/** JEP 91. */
export interface CreateSubshellOk extends OkReply {
  subshell_id: string
}

export interface DeleteSubshellRequest {
  subshell_id: string
}

export interface ListSubshellOk extends OkReply {
  subshell_id: string[]
}

/** What the resource usage extensions of Jupyter front ends ask for; shaped as ipykernel answers it. */
export interface UsageReply {
  hostname: string
  pid: number
  /** Percent of one processor. */
  kernel_cpu?: number
  /** Bytes. */
  kernel_memory?: number
  cpu_count?: number
  host_cpu_percent?: number
  host_virtual_memory?: Record<string, number>
}
