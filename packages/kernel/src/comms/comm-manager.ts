import type { Logger } from '@llmspell/base'
import type { ContentOf } from '@llmspell/jupyter'
import type { CommEvent } from '@llmspell/script'
import type { EngineSlot } from '../execution/engine-pool.ts'
import type { Origins } from '../execution/origins.ts'
import type { Publisher } from '../iopub/publisher.ts'
import type { RequestContext } from '../request-context.ts'

interface Comm {
  targetName: string
  slot: EngineSlot
}

/** Comms between scripts and front ends: which engine holds which, and the messages both ways. */
export class CommManager {
  readonly #publisher: Publisher
  readonly #origins: Origins
  readonly #engines: () => Iterable<EngineSlot>
  readonly #logger: Logger
  readonly #comms = new Map<string, Comm>()

  constructor(publisher: Publisher, origins: Origins, engines: () => Iterable<EngineSlot>, logger: Logger) {
    this.#publisher = publisher
    this.#origins = origins
    this.#engines = engines
    this.#logger = logger
  }

  /** A script opened, used or closed a comm. */
  fromScript(slot: EngineSlot, event: CommEvent): void {
    if (slot.discarded) return
    const origin = this.#origins.get(event.executionId)
    // What a script printed before stays before.
    origin?.stream.flush()
    const { commId, data, metadata, buffers } = event
    let content: Record<string, unknown> = { comm_id: commId, data }
    if (event.type === 'open') {
      this.#comms.set(commId, { targetName: event.targetName, slot })
      content = { comm_id: commId, target_name: event.targetName, data }
    } else if (event.type === 'close') this.#comms.delete(commId)
    this.#publisher.publish(`comm_${event.type}`, content, origin?.header, { metadata, buffers })
  }

  /**
   * A front end opens a comm: the first namespace that knows the target takes it; if none does, it is closed again. One that had
   * the id until now is closed: its script must not wait for ever for what goes to the new one.
   */
  async open(content: ContentOf<'comm_open'>, context: RequestContext, executionId: string): Promise<void> {
    const { comm_id, target_name } = content
    const old = this.#comms.get(comm_id)
    this.#comms.delete(comm_id)
    if (old) await old.slot.engine.comm({ ...eventOf(content, context, executionId), type: 'close', data: {}, metadata: {}, buffers: [] })
    const event: CommEvent = { ...eventOf(content, context, executionId), type: 'open', targetName: target_name }
    for (const slot of this.#engines()) {
      // Registered first: the target's own code may answer on the comm before it returns.
      const comm: Comm = { targetName: target_name, slot }
      this.#comms.set(comm_id, comm)
      let taken = false
      try {
        taken = await slot.engine.comm(event)
      } finally {
        if (!taken && this.#comms.get(comm_id) === comm) this.#comms.delete(comm_id)
      }
      if (taken) return
    }
    this.#logger.log('info', `no script handles comms of target '${target_name}'`)
    context.publish('comm_close', { comm_id, data: {} })
  }

  async message(content: ContentOf<'comm_msg'>, context: RequestContext, executionId: string): Promise<void> {
    const comm = this.#comms.get(content.comm_id)
    if (comm) await comm.slot.engine.comm({ ...eventOf(content, context, executionId), type: 'msg' })
    else this.#logger.log('debug', 'dropped a comm_msg: no such comm', { comm_id: content.comm_id })
  }

  async close(content: ContentOf<'comm_close'>, context: RequestContext, executionId: string): Promise<void> {
    const comm = this.#comms.get(content.comm_id)
    this.#comms.delete(content.comm_id)
    if (comm) await comm.slot.engine.comm({ ...eventOf(content, context, executionId), type: 'close' })
  }

  /** `comms` of comm_info_reply. */
  list(targetName: string | undefined): Record<string, { target_name: string }> {
    const found: Record<string, { target_name: string }> = Object.create(null)
    for (const [id, comm] of this.#comms)
      if (targetName === undefined || comm.targetName === targetName) found[id] = { target_name: comm.targetName }
    return found
  }

  /** The engine is gone, and its comms with it: front ends are told. */
  engineGone(slot: EngineSlot): void {
    for (const [id, comm] of this.#comms) {
      if (comm.slot !== slot) continue
      this.#comms.delete(id)
      this.#publisher.publish('comm_close', { comm_id: id, data: {} }, undefined)
    }
  }
}

function eventOf(
  content: { comm_id: string; data: Record<string, unknown> },
  { message }: RequestContext,
  executionId: string,
): Pick<CommEvent, 'executionId' | 'commId' | 'data' | 'metadata' | 'buffers'> {
  return {
    executionId,
    commId: content.comm_id,
    data: content.data,
    metadata: message.metadata,
    buffers: message.buffers,
  }
}
