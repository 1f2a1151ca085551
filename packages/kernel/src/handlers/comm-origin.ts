import type { RequestContext } from '../request-context.ts'
import type { Services } from '../services.ts'

/** A comm message makes scripts act: what they print then belongs to it. */
export async function withOrigin(
  { origins, output }: Services,
  { message, peer }: RequestContext,
  deliver: (executionId: string) => Promise<void>,
): Promise<undefined> {
  // A client may give the id of a request that still runs, whose output must go on to find its own.
  const id = origins.unused(message.header.msg_id)
  const origin = output.createOrigin(message.header, peer, false, undefined)
  origins.add(id, origin)
  try {
    await deliver(id)
  } finally {
    output.finish(origin)
    origins.end(id)
  }
}
